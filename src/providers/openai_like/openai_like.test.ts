import { providerContract } from '../../../test/contract/provider.ts';
import { openaiLike } from './index.ts';

providerContract(openaiLike, [
  {
    settings: { baseUrl: 'http://server:8080/v1' },
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'http://server:8080/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: 'http://server:8080/v1' },
    dialect: 'openai-completions',
    model: 'some-model',
    address: 'http://server:8080/v1/completions',
  },
  {
    settings: { baseUrl: 'http://server:8080/v1' },
    dialect: 'openai-embeddings',
    model: 'some-model',
    address: 'http://server:8080/v1/embeddings',
  },
  {
    dialect: 'openai-moderations',
    model: 'some-model',
    address: 'http://host/v1/moderations',
    settings: { baseUrl: 'http://host/v1' },
  },
  {
    dialect: 'jina-rerank',
    model: 'some-model',
    address: 'http://host/v1/rerank',
    settings: { baseUrl: 'http://host/v1' },
  },
  {
    dialect: 'openai-images',
    model: 'some-model',
    address: 'http://host/v1/images/generations',
    settings: { baseUrl: 'http://host/v1' },
  },
  {
    dialect: 'openai-image-edits',
    model: 'some-model',
    address: 'http://host/v1/images/edits',
    settings: { baseUrl: 'http://host/v1' },
  },
  {
    dialect: 'openai-image-variations',
    model: 'some-model',
    address: 'http://host/v1/images/variations',
    settings: { baseUrl: 'http://host/v1' },
  },
  {
    dialect: 'openai-speech',
    model: 'some-model',
    address: 'http://host/v1/audio/speech',
    settings: { baseUrl: 'http://host/v1' },
  },
  {
    dialect: 'openai-transcriptions',
    model: 'some-model',
    address: 'http://host/v1/audio/transcriptions',
    settings: { baseUrl: 'http://host/v1' },
  },
  {
    dialect: 'openai-translations',
    model: 'some-model',
    address: 'http://host/v1/audio/translations',
    settings: { baseUrl: 'http://host/v1' },
  },
  {
    dialect: 'openai-realtime',
    model: 'some-model',
    address: 'http://host/v1/realtime',
    settings: { baseUrl: 'http://host/v1' },
  },
]);

import { providerContract } from '../../../test/contract/provider.ts';
import { openai } from './index.ts';

providerContract(openai, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'https://api.openai.com/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  { dialect: 'openai-completions', model: 'some-model', address: 'https://api.openai.com/v1/completions' },
  { dialect: 'openai-embeddings', model: 'some-model', address: 'https://api.openai.com/v1/embeddings' },
  { dialect: 'openai-responses', model: 'some-model', address: 'https://api.openai.com/v1/responses' },
  { dialect: 'openai-compact', model: 'some-model', address: 'https://api.openai.com/v1/responses/compact' },
  { dialect: 'openai-moderations', model: 'some-model', address: 'https://api.openai.com/v1/moderations' },
  {
    settings: { baseUrl: 'http://vllm:8000/v1/', organization: 'org-1' },
    dialect: 'openai-chat',
    model: 'meta/llama',
    address: 'http://vllm:8000/v1/chat/completions',
    headers: { 'openai-organization': 'org-1' },
  },
  {
    settings: { baseUrl: 'http://vllm:8000/v1/chat/completions' },
    dialect: 'openai-chat',
    model: 'm',
    address: 'http://vllm:8000/v1/chat/completions',
  },
  { dialect: 'openai-images', model: 'some-model', address: 'https://api.openai.com/v1/images/generations' },
  { dialect: 'openai-image-edits', model: 'some-model', address: 'https://api.openai.com/v1/images/edits' },
  { dialect: 'openai-image-variations', model: 'some-model', address: 'https://api.openai.com/v1/images/variations' },
  { dialect: 'openai-speech', model: 'some-model', address: 'https://api.openai.com/v1/audio/speech' },
  { dialect: 'openai-transcriptions', model: 'some-model', address: 'https://api.openai.com/v1/audio/transcriptions' },
  { dialect: 'openai-translations', model: 'some-model', address: 'https://api.openai.com/v1/audio/translations' },
  { dialect: 'openai-realtime', model: 'some-model', address: 'https://api.openai.com/v1/realtime' },
]);

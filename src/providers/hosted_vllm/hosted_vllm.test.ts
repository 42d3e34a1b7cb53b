import { providerContract } from '../../../test/contract/provider.ts';
import { hostedVllm } from './index.ts';

providerContract(hostedVllm, [
  {
    settings: { baseUrl: 'http://vllm:8000/v1' },
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'http://vllm:8000/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: 'http://vllm:8000/v1' },
    dialect: 'openai-completions',
    model: 'some-model',
    address: 'http://vllm:8000/v1/completions',
  },
  {
    settings: { baseUrl: 'http://vllm:8000/v1' },
    dialect: 'openai-embeddings',
    model: 'some-model',
    address: 'http://vllm:8000/v1/embeddings',
  },
  {
    settings: { baseUrl: 'http://vllm:8000/v1' },
    dialect: 'jina-rerank',
    model: 'some-model',
    address: 'http://vllm:8000/v1/rerank',
  },
  {
    dialect: 'openai-transcriptions',
    model: 'some-model',
    address: 'http://vllm:8000/v1/audio/transcriptions',
    settings: { baseUrl: 'http://vllm:8000/v1' },
  },
  {
    dialect: 'openai-translations',
    model: 'some-model',
    address: 'http://vllm:8000/v1/audio/translations',
    settings: { baseUrl: 'http://vllm:8000/v1' },
  },
]);

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
]);

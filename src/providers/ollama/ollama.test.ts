import { providerContract } from '../../../test/contract/provider.ts';
import { ollama } from './index.ts';

providerContract(ollama, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'http://localhost:11434/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  { dialect: 'openai-completions', model: 'some-model', address: 'http://localhost:11434/v1/completions' },
  { dialect: 'openai-embeddings', model: 'some-model', address: 'http://localhost:11434/v1/embeddings' },
  {
    settings: { baseUrl: 'http://gpu:11434' },
    dialect: 'openai-chat',
    model: 'llama3',
    address: 'http://gpu:11434/v1/chat/completions',
  },
]);

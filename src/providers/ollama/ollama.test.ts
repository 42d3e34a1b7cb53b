import { providerContract } from '../../../test/contract/provider.ts';
import { ollama } from './index.ts';

providerContract(ollama, [
  {
    dialect: 'ollama-chat',
    model: 'some-model',
    address: 'http://localhost:11434/api/chat',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  { dialect: 'ollama-generate', model: 'some-model', address: 'http://localhost:11434/api/generate' },
  { dialect: 'openai-completions', model: 'some-model', address: 'http://localhost:11434/v1/completions' },
  { dialect: 'openai-embeddings', model: 'some-model', address: 'http://localhost:11434/v1/embeddings' },
  { dialect: 'ollama-embed', model: 'some-model', address: 'http://localhost:11434/api/embed' },
  {
    settings: { baseUrl: 'http://gpu:11434' },
    dialect: 'ollama-chat',
    model: 'llama3',
    address: 'http://gpu:11434/api/chat',
  },
  {
    settings: { baseUrl: 'http://gpu:11434/v1/' },
    dialect: 'ollama-chat',
    model: 'llama3',
    address: 'http://gpu:11434/api/chat',
  },
]);

import { providerContract } from '../../../test/contract/provider.ts';
import { mistral } from './index.ts';

providerContract(mistral, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'https://api.mistral.ai/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  { dialect: 'mistral-chat', model: 'some-model', address: 'https://api.mistral.ai/v1/chat/completions' },
  { dialect: 'openai-embeddings', model: 'some-model', address: 'https://api.mistral.ai/v1/embeddings' },
  { dialect: 'mistral-embeddings', model: 'some-model', address: 'https://api.mistral.ai/v1/embeddings' },
  { dialect: 'openai-moderations', model: 'some-model', address: 'https://api.mistral.ai/v1/moderations' },
  { dialect: 'openai-transcriptions', model: 'some-model', address: 'https://api.mistral.ai/v1/audio/transcriptions' },
]);

import { providerContract } from '../../../test/contract/provider.ts';
import { fireworksAi } from './index.ts';

providerContract(fireworksAi, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'https://api.fireworks.ai/inference/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  { dialect: 'openai-completions', model: 'some-model', address: 'https://api.fireworks.ai/inference/v1/completions' },
  { dialect: 'openai-embeddings', model: 'some-model', address: 'https://api.fireworks.ai/inference/v1/embeddings' },
]);

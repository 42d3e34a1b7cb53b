import { providerContract } from '../../../test/contract/provider.ts';
import { openrouter } from './index.ts';

providerContract(openrouter, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'https://openrouter.ai/api/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  { dialect: 'openai-completions', model: 'some-model', address: 'https://openrouter.ai/api/v1/completions' },
]);

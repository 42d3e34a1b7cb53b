import { providerContract } from '../../../test/contract/provider.ts';
import { deepseek } from './index.ts';

providerContract(deepseek, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'https://api.deepseek.com/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
]);

import { providerContract } from '../../../test/contract/provider.ts';
import { groq } from './index.ts';

providerContract(groq, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'https://api.groq.com/openai/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
]);

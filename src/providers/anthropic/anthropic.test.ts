import { providerContract } from '../../../test/contract/provider.ts';
import { anthropic } from './index.ts';

providerContract(anthropic, [
  {
    dialect: 'anthropic-messages',
    model: 'claude-x',
    address: 'https://api.anthropic.com/v1/messages',
    headers: { 'x-api-key': 'sk-canary-credential-42', 'anthropic-version': '2023-06-01' },
  },
  {
    settings: { baseUrl: 'http://127.0.0.1:9' },
    dialect: 'anthropic-messages',
    model: 'claude-x',
    address: 'http://127.0.0.1:9/v1/messages',
  },
]);

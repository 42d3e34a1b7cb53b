import { compatibleContract, providerContract } from '../../../test/contract/provider.ts';
import { cloudflare } from './index.ts';

const account = 'https://api.cloudflare.com/client/v4/accounts/0a1b';

compatibleContract(cloudflare, `${account}/ai/v1`);
providerContract(cloudflare, [
  {
    settings: { baseUrl: `${account}/ai/run/` },
    dialect: 'openai-chat',
    model: '@cf/meta/llama-3.1-8b-instruct',
    address: `${account}/ai/v1/chat/completions`,
  },
  {
    settings: { baseUrl: `${account}/ai/v1` },
    dialect: 'openai-embeddings',
    model: '@cf/baai/bge-m3',
    address: `${account}/ai/v1/embeddings`,
  },
]);

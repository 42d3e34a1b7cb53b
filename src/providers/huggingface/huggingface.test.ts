import { providerContract } from '../../../test/contract/provider.ts';
import { huggingface } from './index.ts';

providerContract(huggingface, [
  { dialect: 'openai-chat', model: 'some-model', address: 'https://router.huggingface.co/v1/chat/completions' },
  {
    dialect: 'feature-extraction',
    model: 'BAAI/bge-m3',
    address: 'https://router.huggingface.co/hf-inference/models/BAAI/bge-m3/pipeline/feature-extraction',
  },
  {
    dialect: 'feature-extraction',
    model: 'm',
    address: 'https://x.endpoints.huggingface.cloud/',
    settings: { baseUrl: 'https://x.endpoints.huggingface.cloud' },
  },
  { dialect: 'text-to-image', model: 'a/b', address: 'https://router.huggingface.co/hf-inference/models/a/b' },
]);

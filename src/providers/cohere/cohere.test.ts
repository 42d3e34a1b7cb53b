import { providerContract } from '../../../test/contract/provider.ts';
import { cohere } from './index.ts';

providerContract(cohere, [
  { dialect: 'cohere-embed', model: 'some-model', address: 'https://api.cohere.com/v2/embed' },
  { dialect: 'cohere-rerank-v2', model: 'some-model', address: 'https://api.cohere.com/v2/rerank' },
]);

import { providerContract } from '../../../test/contract/provider.ts';
import { voyage } from './index.ts';

providerContract(voyage, [
  { dialect: 'voyage-embeddings', model: 'some-model', address: 'https://api.voyageai.com/v1/embeddings' },
  { dialect: 'voyage-rerank', model: 'some-model', address: 'https://api.voyageai.com/v1/rerank' },
]);

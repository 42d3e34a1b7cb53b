import { providerContract } from '../../../test/contract/provider.ts';
import { infinity } from './index.ts';

providerContract(infinity, [
  { dialect: 'openai-embeddings', model: 'some-model', address: 'http://localhost:7997/embeddings' },
  { dialect: 'jina-rerank', model: 'some-model', address: 'http://localhost:7997/rerank' },
]);

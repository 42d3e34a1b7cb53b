import { providerContract } from '../../../test/contract/provider.ts';
import { jinaAi } from './index.ts';

providerContract(jinaAi, [
  { dialect: 'jina-embeddings', model: 'some-model', address: 'https://api.jina.ai/v1/embeddings' },
  { dialect: 'jina-rerank', model: 'some-model', address: 'https://api.jina.ai/v1/rerank' },
]);

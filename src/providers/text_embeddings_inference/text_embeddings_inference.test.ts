import { providerContract } from '../../../test/contract/provider.ts';
import { textEmbeddingsInference } from './index.ts';

providerContract(textEmbeddingsInference, [
  { dialect: 'openai-embeddings', model: 'some-model', address: 'http://localhost:8080/v1/embeddings' },
  { dialect: 'feature-extraction', model: 'some-model', address: 'http://localhost:8080/embed' },
  { dialect: 'tei-rerank', model: 'some-model', address: 'http://localhost:8080/rerank' },
]);

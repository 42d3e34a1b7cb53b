import { providerContract } from '../../../test/contract/provider.ts';
import { togetherAi } from './index.ts';

providerContract(togetherAi, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'https://api.together.xyz/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  { dialect: 'openai-completions', model: 'some-model', address: 'https://api.together.xyz/v1/completions' },
  { dialect: 'openai-embeddings', model: 'some-model', address: 'https://api.together.xyz/v1/embeddings' },
  { dialect: 'jina-rerank', model: 'some-model', address: 'https://api.together.xyz/v1/rerank' },
  { dialect: 'together-images', model: 'some-model', address: 'https://api.together.xyz/v1/images/generations' },
  { dialect: 'openai-speech', model: 'some-model', address: 'https://api.together.xyz/v1/audio/speech' },
  {
    dialect: 'openai-transcriptions',
    model: 'some-model',
    address: 'https://api.together.xyz/v1/audio/transcriptions',
  },
  { dialect: 'openai-translations', model: 'some-model', address: 'https://api.together.xyz/v1/audio/translations' },
]);

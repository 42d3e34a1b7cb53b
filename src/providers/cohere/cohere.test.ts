import { providerContract } from '../../../test/contract/provider.ts';
import { cohere } from './index.ts';

providerContract(cohere, [
  { dialect: 'cohere-chat', model: 'command-a', address: 'https://api.cohere.com/v2/chat' },
  { dialect: 'cohere-embed', model: 'some-model', address: 'https://api.cohere.com/v2/embed' },
  { dialect: 'cohere-rerank-v2', model: 'some-model', address: 'https://api.cohere.com/v2/rerank' },
  {
    dialect: 'cohere-transcription',
    model: 'cohere-transcribe-03-2026',
    address: 'https://api.cohere.com/v2/audio/transcriptions',
  },
]);

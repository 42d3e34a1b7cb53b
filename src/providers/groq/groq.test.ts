import { providerContract } from '../../../test/contract/provider.ts';
import { groq } from './index.ts';

providerContract(groq, [
  {
    dialect: 'openai-chat',
    model: 'some-model',
    address: 'https://api.groq.com/openai/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  { dialect: 'openai-speech', model: 'some-model', address: 'https://api.groq.com/openai/v1/audio/speech' },
  {
    dialect: 'openai-transcriptions',
    model: 'some-model',
    address: 'https://api.groq.com/openai/v1/audio/transcriptions',
  },
  { dialect: 'openai-translations', model: 'some-model', address: 'https://api.groq.com/openai/v1/audio/translations' },
]);

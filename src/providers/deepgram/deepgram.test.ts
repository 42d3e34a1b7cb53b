import { providerContract } from '../../../test/contract/provider.ts';
import { deepgram } from './index.ts';

providerContract(deepgram, [
  { dialect: 'deepgram-speech', model: 'some-model', address: 'https://api.deepgram.com/v1/speak' },
  { dialect: 'deepgram-transcription', model: 'some-model', address: 'https://api.deepgram.com/v1/listen' },
]);

import { providerContract } from '../../../test/contract/provider.ts';
import { elevenlabs } from './index.ts';

providerContract(elevenlabs, [
  { dialect: 'elevenlabs-speech', model: 'some-model', address: 'https://api.elevenlabs.io/v1/text-to-speech' },
  { dialect: 'elevenlabs-transcription', model: 'some-model', address: 'https://api.elevenlabs.io/v1/speech-to-text' },
]);

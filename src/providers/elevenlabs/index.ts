import { defineProvider, keyHeader } from '../define.ts';

export const elevenlabs = defineProvider({
  id: 'elevenlabs',
  name: 'ElevenLabs',
  documentation: 'https://elevenlabs.io/docs/api-reference',
  checkedAgainst: '@elevenlabs/elevenlabs-js 2.73.0',
  baseUrl: 'https://api.elevenlabs.io/v1',
  baseUrlVariable: 'ELEVENLABS_API_BASE',
  credentialVariable: 'ELEVENLABS_API_KEY',
  auth: keyHeader('xi-api-key'),
  dialects: { speech: ['elevenlabs-speech'], transcription: ['elevenlabs-transcription'] },
});

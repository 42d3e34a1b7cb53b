import { defineProvider } from '../define.ts';

export const deepgram = defineProvider({
  id: 'deepgram',
  name: 'Deepgram',
  documentation: 'https://developers.deepgram.com/reference',
  checkedAgainst: '@deepgram/sdk 5.13.0',
  baseUrl: 'https://api.deepgram.com/v1',
  baseUrlVariable: 'DEEPGRAM_API_BASE',
  credentialVariable: 'DEEPGRAM_API_KEY',
  auth: ({ credential }) => (credential === null ? [] : ['authorization', `Token ${credential.reveal()}`]),
  dialects: { speech: ['deepgram-speech'], transcription: ['deepgram-transcription'] },
});

import { defineProvider, keyHeader } from '../define.ts';

export const assemblyai = defineProvider({
  id: 'assemblyai',
  name: 'AssemblyAI',
  documentation: 'https://www.assemblyai.com/docs/api-reference',
  checkedAgainst: 'assemblyai 4.41.5',
  baseUrl: 'https://api.assemblyai.com/v2',
  baseUrlVariable: 'ASSEMBLYAI_API_BASE',
  credentialVariable: 'ASSEMBLYAI_API_KEY',
  auth: keyHeader('authorization'),
  dialects: { transcription: ['assemblyai-transcription'] },
  modelsPath: null,
});

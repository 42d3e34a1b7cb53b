import { defineProvider } from '../define.ts';

export const arcee = defineProvider({
  id: 'arcee',
  name: 'Arcee AI',
  documentation: 'https://docs.arcee.ai/',
  baseUrl: 'https://api.arcee.ai/api/v1',
  baseUrlVariable: 'ARCEE_API_BASE',
  credentialVariable: 'ARCEE_API_KEY',
});

import { defineProvider } from '../define.ts';

export const krutrim = defineProvider({
  id: 'krutrim',
  name: 'Krutrim',
  documentation: 'https://docs.cloud.olakrutrim.com/',
  baseUrl: 'https://cloud.olakrutrim.com/v1',
  baseUrlVariable: 'KRUTRIM_API_BASE',
  credentialVariable: 'KRUTRIM_API_KEY',
});

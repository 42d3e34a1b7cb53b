import { defineProvider } from '../define.ts';

export const avian = defineProvider({
  id: 'avian',
  name: 'Avian',
  documentation: 'https://avian.io/docs',
  baseUrl: 'https://api.avian.io/v1',
  baseUrlVariable: 'AVIAN_API_BASE',
  credentialVariable: 'AVIAN_API_KEY',
});

import { defineProvider } from '../define.ts';

export const inception = defineProvider({
  id: 'inception',
  name: 'Inception',
  documentation: 'https://docs.inceptionlabs.ai/get-started/get-started',
  baseUrl: 'https://api.inceptionlabs.ai/v1',
  baseUrlVariable: 'INCEPTION_API_BASE',
  credentialVariable: 'INCEPTION_API_KEY',
  modelPrefixes: ['mercury'],
});

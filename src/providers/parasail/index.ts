import { defineProvider } from '../define.ts';

export const parasail = defineProvider({
  id: 'parasail',
  name: 'Parasail',
  documentation: 'https://docs.parasail.io/parasail-docs/serverless/serverless-docs',
  baseUrl: 'https://api.parasail.io/v1',
  baseUrlVariable: 'PARASAIL_API_BASE',
  credentialVariable: 'PARASAIL_API_KEY',
});

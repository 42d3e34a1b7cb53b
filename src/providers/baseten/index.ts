import { defineProvider } from '../define.ts';

export const baseten = defineProvider({
  id: 'baseten',
  name: 'Baseten',
  documentation: 'https://docs.baseten.co/development/model-apis/overview',
  baseUrl: 'https://inference.baseten.co/v1',
  baseUrlVariable: 'BASETEN_API_BASE',
  credentialVariable: 'BASETEN_API_KEY',
});

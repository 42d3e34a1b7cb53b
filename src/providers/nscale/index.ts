import { defineProvider } from '../define.ts';

export const nscale = defineProvider({
  id: 'nscale',
  name: 'Nscale',
  documentation: 'https://docs.nscale.com/docs/inference/chat',
  baseUrl: 'https://inference.api.nscale.com/v1',
  baseUrlVariable: 'NSCALE_API_BASE',
  credentialVariable: 'NSCALE_API_KEY',
  catalogueIds: ['huggingface_nscale'],
});

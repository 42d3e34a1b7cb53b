import { defineProvider } from '../define.ts';

export const publicai = defineProvider({
  id: 'publicai',
  name: 'Public AI',
  documentation: 'https://platform.publicai.co/docs',
  baseUrl: 'https://api.publicai.co/v1',
  baseUrlVariable: 'PUBLICAI_API_BASE',
  credentialVariable: 'PUBLICAI_API_KEY',
  catalogueIds: ['huggingface_publicai'],
});

import { defineProvider } from '../define.ts';

export const falAi = defineProvider({
  id: 'fal_ai',
  name: 'fal',
  documentation: 'https://docs.fal.ai/model-apis',
  aliases: ['fal'],
  baseUrl: 'https://fal.run',
  baseUrlVariable: 'FAL_AI_API_BASE',
  credentialVariable: 'FAL_AI_API_KEY',
  auth: ({ credential }) => (credential === null ? [] : ['authorization', `Key ${credential.reveal()}`]),
  dialects: { image: ['fal-images'] },
  path: ({ model }) => `/${model}`,
  modelsPath: null,
});

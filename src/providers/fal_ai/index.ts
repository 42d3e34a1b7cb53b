import { defineProvider } from '../define.ts';

export const falAi = defineProvider({
  id: 'fal_ai',
  name: 'fal',
  documentation: 'https://docs.fal.ai/model-apis',
  checkedAgainst: '@fal-ai/client 1.10.1 and its types of models',
  aliases: ['fal'],
  baseUrl: 'https://fal.run',
  baseUrlVariable: 'FAL_AI_API_BASE',
  credentialVariable: 'FAL_AI_API_KEY',
  otherCredentialVariables: ['FAL_KEY'],
  auth: ({ credential }) => (credential === null ? [] : ['authorization', `Key ${credential.reveal()}`]),
  dialects: { image: ['fal-images'] },
  path: ({ model }) => `/${model}`,
  modelsPath: null,
});

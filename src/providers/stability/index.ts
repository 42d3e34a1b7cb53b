import { bearer, defineProvider } from '../define.ts';

export const stability = defineProvider({
  id: 'stability',
  name: 'Stability AI',
  documentation: 'https://platform.stability.ai/docs/api-reference',
  checkedAgainst: 'clients of `v2beta/stable-image` in public repositories',
  baseUrl: 'https://api.stability.ai/v2beta/stable-image/generate',
  baseUrlVariable: 'STABILITY_API_BASE',
  credentialVariable: 'STABILITY_API_KEY',
  auth: (settings) => [...bearer()(settings), 'accept', 'application/json'],
  dialects: { image: ['stability-images'] },
  // Every model of the third generation has the same address.
  path: ({ model }) => `/${model.startsWith('sd3') ? 'sd3' : model}`,
  modelsPath: null,
});

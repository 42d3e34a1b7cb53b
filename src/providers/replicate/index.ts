import { bearer, defineProvider } from '../define.ts';

export const replicate = defineProvider({
  id: 'replicate',
  name: 'Replicate',
  documentation: 'https://replicate.com/docs/reference/http',
  checkedAgainst: 'replicate 1.4.0',
  baseUrl: 'https://api.replicate.com/v1',
  baseUrlVariable: 'REPLICATE_API_BASE',
  credentialVariable: 'REPLICATE_API_KEY',
  otherCredentialVariables: ['REPLICATE_API_TOKEN'],
  auth: (settings) => [...bearer()(settings), 'prefer', 'wait'],
  dialects: { image: ['replicate-images'] },
  path: ({ model }) => `/models/${model}/predictions`,
  modelsPath: '/account',
});

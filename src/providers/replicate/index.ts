import { bearer, defineProvider } from '../define.ts';

export const replicate = defineProvider({
  id: 'replicate',
  name: 'Replicate',
  documentation: 'https://replicate.com/docs/reference/http',
  checkedAgainst: 'replicate 1.4.0; schemas of inputs of models of Meta and vLLM',
  baseUrl: 'https://api.replicate.com/v1',
  baseUrlVariable: 'REPLICATE_API_BASE',
  credentialVariable: 'REPLICATE_API_KEY',
  otherCredentialVariables: ['REPLICATE_API_TOKEN'],
  auth: (settings) => [...bearer()(settings), 'prefer', 'wait'],
  dialects: { chat: ['replicate-chat'], image: ['replicate-images'] },
  usageInStream: 'always',
  path: ({ model }) => `/models/${model}/predictions`,
  modelsPath: '/account',
});

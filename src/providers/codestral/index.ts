import { defineProvider } from '../define.ts';
import { fittingCallIds } from '../mistral/call-ids.ts';

export const codestral = defineProvider({
  id: 'codestral',
  name: 'Mistral Codestral',
  conventionName: 'mistral_ai',
  documentation: 'https://docs.mistral.ai/capabilities/code_generation/',
  baseUrl: 'https://codestral.mistral.ai/v1',
  baseUrlVariable: 'CODESTRAL_API_BASE',
  credentialVariable: 'CODESTRAL_API_KEY',
  catalogueIds: ['mistral'],
  usageInStream: 'always',
  edits: ({ body }) => fittingCallIds(body),
});

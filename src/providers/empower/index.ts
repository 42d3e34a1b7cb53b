import { defineProvider } from '../define.ts';

export const empower = defineProvider({
  id: 'empower',
  name: 'Empower',
  documentation: 'https://docs.empower.dev/inference/tool-use/quickstart',
  baseUrl: 'https://app.empower.dev/api/v1',
  baseUrlVariable: 'EMPOWER_API_BASE',
  credentialVariable: 'EMPOWER_API_KEY',
});

import { defineProvider } from '../define.ts';

export const moonshot = defineProvider({
  id: 'moonshot',
  name: 'Moonshot AI',
  documentation: 'https://platform.moonshot.ai/docs/api/chat',
  baseUrl: 'https://api.moonshot.ai/v1',
  baseUrlVariable: 'MOONSHOT_API_BASE',
  credentialVariable: 'MOONSHOT_API_KEY',
  catalogueIds: ['moonshotai'],
  modelPrefixes: ['moonshot-', 'kimi-'],
});

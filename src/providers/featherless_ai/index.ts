import { defineProvider } from '../define.ts';

export const featherlessAi = defineProvider({
  id: 'featherless_ai',
  name: 'Featherless',
  documentation: 'https://featherless.ai/docs/api-overview-and-common-options',
  aliases: ['featherless-ai'],
  baseUrl: 'https://api.featherless.ai/v1',
  baseUrlVariable: 'FEATHERLESS_AI_API_BASE',
  credentialVariable: 'FEATHERLESS_AI_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});

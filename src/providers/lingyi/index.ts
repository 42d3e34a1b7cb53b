import { defineProvider } from '../define.ts';

export const lingyi = defineProvider({
  id: 'lingyi',
  name: '01.AI',
  documentation: 'https://platform.lingyiwanwu.com/docs/api-reference',
  aliases: ['01-ai', 'lingyiwanwu'],
  baseUrl: 'https://api.lingyiwanwu.com/v1',
  baseUrlVariable: 'LINGYI_API_BASE',
  credentialVariable: 'LINGYI_API_KEY',
  modelPrefixes: ['yi-'],
});

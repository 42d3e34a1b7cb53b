import { defineProvider } from '../define.ts';

export const monsterapi = defineProvider({
  id: 'monsterapi',
  name: 'MonsterAPI',
  documentation: 'https://developer.monsterapi.ai/reference/openai-compatible',
  baseUrl: 'https://llm.monsterapi.ai/v1',
  baseUrlVariable: 'MONSTERAPI_API_BASE',
  credentialVariable: 'MONSTERAPI_API_KEY',
});

import { defineProvider } from '../define.ts';

export const sensenova = defineProvider({
  id: 'sensenova',
  name: 'SenseNova',
  documentation: 'https://www.sensecore.cn/help/docs/model-as-a-service/nova/chat/ChatCompletions/ChatCompletions',
  baseUrl: 'https://api.sensenova.cn/compatible-mode/v1',
  baseUrlVariable: 'SENSENOVA_API_BASE',
  credentialVariable: 'SENSENOVA_API_KEY',
});

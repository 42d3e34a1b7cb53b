import { defineProvider } from '../define.ts';

export const writer = defineProvider({
  id: 'writer',
  name: 'Writer',
  documentation: 'https://dev.writer.com/api-reference/completion-api/chat-completion',
  baseUrl: 'https://api.writer.com/v1',
  baseUrlVariable: 'WRITER_API_BASE',
  credentialVariable: 'WRITER_API_KEY',
  path: () => '/chat',
  modelPrefixes: ['palmyra-'],
});

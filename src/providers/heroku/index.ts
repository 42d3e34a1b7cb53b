import { defineProvider } from '../define.ts';

export const heroku = defineProvider({
  id: 'heroku',
  name: 'Heroku Inference',
  documentation: 'https://devcenter.heroku.com/articles/heroku-inference-api-v1-chat-completions',
  baseUrl: 'https://us.inference.heroku.com/v1',
  credentialVariable: 'HEROKU_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  baseUrlVariable: 'HEROKU_API_BASE',
  modelsPath: null,
});

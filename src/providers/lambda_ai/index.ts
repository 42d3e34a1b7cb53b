import { defineProvider } from '../define.ts';

export const lambdaAi = defineProvider({
  id: 'lambda_ai',
  name: 'Lambda',
  documentation: 'https://docs.lambda.ai/public-cloud/lambda-inference-api/',
  aliases: ['lambda'],
  baseUrl: 'https://api.lambda.ai/v1',
  baseUrlVariable: 'LAMBDA_API_BASE',
  credentialVariable: 'LAMBDA_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});

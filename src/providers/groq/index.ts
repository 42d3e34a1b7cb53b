import { bearer, defineProvider } from '../define.ts';

/** https://console.groq.com/docs/openai */
export const groq = defineProvider({
  id: 'groq',
  name: 'Groq',
  baseUrl: 'https://api.groq.com/openai/v1',
  baseUrlVariable: 'GROQ_API_BASE',
  credentialVariable: 'GROQ_API_KEY',
  auth: bearer(),
  dialects: { chat: ['openai-chat'] },
  traits: () => ({ unsupportedParams: ['logprobs', 'logit_bias', 'top_logprobs'] }),
});

import { defineProvider } from '../define.ts';

export const groq = defineProvider({
  id: 'groq',
  name: 'Groq',
  documentation: 'https://console.groq.com/docs/openai',
  baseUrl: 'https://api.groq.com/openai/v1',
  baseUrlVariable: 'GROQ_API_BASE',
  credentialVariable: 'GROQ_API_KEY',
  traits: () => ({ unsupportedParams: ['logprobs', 'logit_bias', 'top_logprobs'] }),
});

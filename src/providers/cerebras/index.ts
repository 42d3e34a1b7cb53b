import { defineProvider } from '../define.ts';

export const cerebras = defineProvider({
  id: 'cerebras',
  name: 'Cerebras',
  documentation: 'https://inference-docs.cerebras.ai/resources/openai',
  baseUrl: 'https://api.cerebras.ai/v1',
  baseUrlVariable: 'CEREBRAS_API_BASE',
  credentialVariable: 'CEREBRAS_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
  traits: () => ({
    unsupportedParams: ['frequency_penalty', 'logit_bias', 'presence_penalty', 'parallel_tool_calls', 'service_tier'],
  }),
});

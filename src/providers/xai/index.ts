import { defineProvider } from '../define.ts';

export const xai = defineProvider({
  id: 'xai',
  name: 'xAI',
  conventionName: 'x_ai',
  documentation: 'https://docs.x.ai/docs/api-reference',
  aliases: ['x-ai'],
  baseUrl: 'https://api.x.ai/v1',
  baseUrlVariable: 'XAI_API_BASE',
  credentialVariable: 'XAI_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions', 'openai-responses'], image: ['openai-images'] },
  catalogueIds: ['x-ai'],
  modelPrefixes: ['grok-'],
  traits: (model) => ({
    unsupportedParams: isReasoner(model) ? ['presence_penalty', 'frequency_penalty', 'stop'] : [],
  }),
});

/** Models that think refuse these parameters. */
function isReasoner(model: string): boolean {
  return /^grok-(3-mini|4|code|[5-9])/.test(model) && !model.includes('non-reasoning');
}

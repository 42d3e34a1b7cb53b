import { bearer, defineProvider } from '../define.ts';

/** Also any server that speaks the same at another `api_base`. */
export const openai = defineProvider({
  id: 'openai',
  name: 'OpenAI',
  documentation: 'https://platform.openai.com/docs/api-reference',
  aliases: ['text-completion-openai', 'custom_openai'],
  baseUrl: 'https://api.openai.com/v1',
  baseUrlVariable: 'OPENAI_API_BASE',
  credentialVariable: 'OPENAI_API_KEY',
  auth: (settings) => [
    ...bearer()(settings),
    ...(settings.organization === null ? [] : ['openai-organization', settings.organization]),
  ],
  dialects: {
    chat: ['openai-chat', 'openai-completions', 'openai-responses'],
    embedding: ['openai-embeddings'],
    moderation: ['openai-moderations'],
  },
  modelPrefixes: ['gpt-', 'chatgpt-', 'o1', 'o3', 'o4', 'text-embedding-', 'davinci-', 'babbage-', 'ft:gpt-'],
  traits: (model) => ({
    reasoningModel: /^(o\d|gpt-5)/.test(model) && !model.startsWith('gpt-5-chat'),
    ...(isServedByResponsesAlone(model) ? { soleDialect: 'openai-responses' } : {}),
  }),
});

/** Models that chat completions do not have, by their pages in the documentation. */
function isServedByResponsesAlone(model: string): boolean {
  return /^(o[13]-pro|gpt-5[\d.]*-(pro|codex)|codex-|computer-use-|o[34](-mini)?-deep-research)/.test(model);
}

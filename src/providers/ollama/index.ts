import { defineProvider } from '../define.ts';

/** Ollama through its OpenAI-compatible paths */
export const ollama = defineProvider({
  id: 'ollama',
  name: 'Ollama',
  documentation: 'https://github.com/ollama/ollama/blob/main/docs/openai.md',
  aliases: ['ollama_chat'],
  baseUrl: 'http://localhost:11434/v1',
  baseUrlVariable: 'OLLAMA_API_BASE',
  credentialVariable: 'OLLAMA_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: [],
  // The address people know is the server's root; the compatible paths live below /v1.
  adjust: (settings) => ({
    ...settings,
    baseUrl:
      settings.baseUrl === null || /\/v1\/?$/.test(settings.baseUrl)
        ? settings.baseUrl
        : `${settings.baseUrl.replace(/\/+$/, '')}/v1`,
  }),
  traits: () => ({ supportsImageUrls: false, continuation: { lastMessage: {}, body: {} } }),
});

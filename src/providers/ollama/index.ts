import type { ConnectionSettings } from '../../core/provider.ts';
import { defineProvider } from '../define.ts';

const paths: Readonly<Record<string, string>> = {
  'ollama-chat': '/api/chat',
  'ollama-generate': '/api/generate',
  'openai-completions': '/v1/completions',
  'openai-embeddings': '/v1/embeddings',
  'ollama-embed': '/api/embed',
};

/** Its own format for chats, where thinking, `num_ctx` and `keep_alive` have a place; the compatible paths for the rest. */
export const ollama = defineProvider({
  id: 'ollama',
  name: 'Ollama',
  documentation: 'https://github.com/ollama/ollama/blob/main/docs/api.md',
  aliases: ['ollama_chat'],
  baseUrl: 'http://localhost:11434',
  baseUrlVariable: 'OLLAMA_API_BASE',
  credentialVariable: 'OLLAMA_API_KEY',
  requiresCredential: false,
  dialects: {
    chat: ['ollama-chat', 'ollama-generate', 'openai-completions'],
    embedding: ['openai-embeddings', 'ollama-embed'],
  },
  catalogueIds: [],
  usageInStream: 'always',
  adjust: (settings) => ({ ...settings, baseUrl: rootOf(settings) }),
  path: ({ dialect }) => paths[dialect] ?? '',
  modelsPath: '/api/tags',
  traits: () => ({ supportsImageUrls: false, continuation: { lastMessage: {}, body: {} } }),
});

/** People write the address of the server's root, and that of its compatible paths. */
function rootOf({ baseUrl }: ConnectionSettings): string | null {
  return baseUrl === null ? null : baseUrl.replace(/\/+$/, '').replace(/\/(v1|api)$/, '');
}

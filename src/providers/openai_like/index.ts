import { bearer, defineProvider } from '../define.ts';

/** Any other server that speaks OpenAI's formats: SGLang, llama.cpp, LM Studio, LocalAI, another gateway. */
export const openaiLike = defineProvider({
  id: 'openai_like',
  name: 'OpenAI-compatible server',
  aliases: ['litellm_proxy', 'lm_studio', 'llamafile', 'xinference', 'docker_model_runner'],
  baseUrl: null,
  baseUrlVariable: 'OPENAI_LIKE_API_BASE',
  credentialVariable: 'OPENAI_LIKE_API_KEY',
  requiresCredential: false,
  auth: bearer(),
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: [],
});

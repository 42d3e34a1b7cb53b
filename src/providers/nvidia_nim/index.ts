import { defineProvider, usualPath } from '../define.ts';

export const nvidiaNim = defineProvider({
  id: 'nvidia_nim',
  name: 'NVIDIA NIM',
  documentation: 'https://docs.api.nvidia.com/nim/reference/llm-apis',
  checkedAgainst: 'the references of NIM for LLMs and of NeMo Retriever (text reranking); issues of its clients',
  aliases: ['nvidia'],
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  baseUrlVariable: 'NVIDIA_NIM_API_BASE',
  credentialVariable: 'NVIDIA_NIM_API_KEY',
  otherCredentialVariables: ['NVIDIA_API_KEY'],
  dialects: {
    chat: ['openai-chat', 'openai-completions'],
    embedding: ['nim-embeddings', 'openai-embeddings'],
    rerank: ['nim-ranking'],
  },
  // Hosted rankers stand at another host, under an address of their own; a container has one path for all.
  adjust: (settings) =>
    settings.baseUrl === null && /rerank/.test(settings.model)
      ? { ...settings, baseUrl: `https://ai.api.nvidia.com/v1/retrieval/${settings.model.replaceAll('.', '_')}` }
      : settings,
  path: ({ dialect, settings }) =>
    dialect === 'nim-ranking' && settings.baseUrl?.includes('/v1/retrieval/') ? '/reranking' : usualPath[dialect],
  // Hosted models answer 400 ("Extra inputs are not permitted") to what they do not know; these only help a cache or a filter.
  traits: () => ({ unsupportedParams: ['prompt_cache_key', 'prompt_cache_retention', 'safety_identifier'] }),
});

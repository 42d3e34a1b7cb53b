/** What is asked of a model, whatever wire format it is asked in. */
export const operations = ['chat', 'embedding', 'rerank', 'moderation', 'image', 'speech', 'transcription'] as const;
export type Operation = (typeof operations)[number];

/** Wire formats, each spoken by callers, by providers, or by both. A provider is never a dialect. */
export const dialectNames = [
  'openai-chat',
  'openai-completions',
  'openai-embeddings',
  'openai-responses',
  'anthropic-messages',
  'cohere-embed',
  'feature-extraction',
  'gemini-batch-embed',
  'gemini-embed',
  'jina-embeddings',
  'mistral-embeddings',
  'nim-embeddings',
  'ollama-embed',
  'ollama-embeddings',
  'voyage-embeddings',
  'cohere-rerank',
  'cohere-rerank-v2',
  'jina-rerank',
  'nim-ranking',
  'tei-rerank',
  'voyage-rerank',
  'openai-moderations',
  'gemini-generate',
  'gemini-array',
] as const;
export type DialectName = (typeof dialectNames)[number];

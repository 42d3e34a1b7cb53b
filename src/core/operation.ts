/** What is asked of a model, whatever wire format it is asked in. */
export const operations = ['chat', 'embedding'] as const;
export type Operation = (typeof operations)[number];

/** Wire formats, each spoken by callers, by providers, or by both. A provider is never a dialect. */
export const dialectNames = [
  'openai-chat',
  'openai-completions',
  'openai-embeddings',
  'openai-responses',
  'anthropic-messages',
] as const;
export type DialectName = (typeof dialectNames)[number];

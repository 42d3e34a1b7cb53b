import type { Dialect } from '../core/dialect.ts';
import type { DialectName } from '../core/operation.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { bedrockConverse } from './bedrock-converse/index.ts';
import { bedrockInvoke } from './bedrock-invoke/index.ts';
import { cohereChat } from './cohere-chat/index.ts';
import { embeddingDialects } from './embeddings/index.ts';
import { geminiArray } from './gemini/array.ts';
import { gemini } from './gemini/index.ts';
import { geminiLive } from './gemini-live/index.ts';
import { gigachatChat } from './gigachat-chat/index.ts';
import { mistralChat } from './mistral-chat/index.ts';
import { ollamaChat, ollamaGenerate } from './ollama-chat/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiCompletions } from './openai-completions/index.ts';
import { openaiEmbeddings } from './openai-embeddings/index.ts';
import { openaiMedia } from './openai-media/index.ts';
import { openaiModerations } from './openai-moderations/index.ts';
import { openaiRealtime } from './openai-realtime/index.ts';
import { openaiCompact } from './openai-responses/compact.ts';
import { openaiResponses } from './openai-responses/index.ts';
import { passThrough } from './pass-through/index.ts';
import { replicateChat } from './replicate-chat/index.ts';
import { rerankDialects } from './rerank/index.ts';
import { vendorMedia } from './vendor-media/index.ts';

/** Every wire format that is spoken, by callers or by providers. */
export const dialects: ReadonlyMap<DialectName, Dialect> = new Map<DialectName, Dialect>([
  ['openai-chat', openaiChat],
  ['openai-completions', openaiCompletions],
  ['openai-embeddings', openaiEmbeddings],
  ['openai-responses', openaiResponses],
  ['openai-compact', openaiCompact],
  ['anthropic-messages', anthropicMessages],
  ['mistral-chat', mistralChat],
  ['gigachat-chat', gigachatChat],
  ['replicate-chat', replicateChat],
  ['cohere-chat', cohereChat],
  ['ollama-chat', ollamaChat],
  ['ollama-generate', ollamaGenerate],
  ['openai-moderations', openaiModerations],
  ['openai-realtime', openaiRealtime],
  ['pass-through', passThrough],
  ['bedrock-converse', bedrockConverse],
  ['bedrock-invoke', bedrockInvoke],
  ['gemini-generate', gemini],
  ['gemini-array', geminiArray],
  ['gemini-live', geminiLive],
  ...[...embeddingDialects, ...rerankDialects, ...openaiMedia, ...vendorMedia].map(
    (dialect) => [dialect.name, dialect] as const,
  ),
]);

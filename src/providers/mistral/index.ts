import { defineProvider } from '../define.ts';
import { fittingCallIds } from './call-ids.ts';

export const mistral = defineProvider({
  id: 'mistral',
  name: 'Mistral',
  conventionName: 'mistral_ai',
  documentation: 'https://docs.mistral.ai/api/',
  baseUrl: 'https://api.mistral.ai/v1',
  baseUrlVariable: 'MISTRAL_API_BASE',
  credentialVariable: 'MISTRAL_API_KEY',
  dialects: {
    chat: ['openai-chat', 'mistral-chat'],
    embedding: ['mistral-embeddings', 'openai-embeddings'],
    moderation: ['openai-moderations'],
    transcription: ['openai-transcriptions'],
  },
  // https://docs.mistral.ai/capabilities/batch/
  batchDesk: 'mistral-jobs',
  batchPriceRatio: 0.5,
  usageInStream: 'always',
  edits: ({ body }) => fittingCallIds(body),
  modelPrefixes: ['mistral-', 'ministral-', 'open-mistral', 'open-mixtral', 'codestral-', 'pixtral-', 'magistral-'],
  traits: () => ({
    unsupportedParams: ['user', 'logprobs', 'top_logprobs', 'logit_bias', 'stream_options'],
    continuation: { lastMessage: { prefix: true }, body: {} },
  }),
});

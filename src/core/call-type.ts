import type { DialectName, Operation } from './operation.ts';
import type { RequestRecord } from './request-record.ts';

/** What LiteLLM calls each operation, and formats that have a name of their own there. */
const callTypes: Readonly<Record<Operation, string>> = {
  chat: 'acompletion',
  embedding: 'aembedding',
  rerank: 'arerank',
  moderation: 'amoderation',
  compaction: 'acompact_responses',
  image: 'aimage_generation',
  speech: 'aspeech',
  transcription: 'atranscription',
  realtime: '_arealtime',
  pass_through: 'pass_through_endpoint',
};
const callTypesOfFormats: Partial<Record<DialectName, string>> = {
  'openai-completions': 'atext_completion',
  'openai-responses': 'aresponses',
  'bedrock-converse': 'acompletion',
  'bedrock-invoke': 'anthropic_messages',
  'gemini-generate': 'generate_content',
  'gemini-array': 'generate_content',
  'anthropic-messages': 'anthropic_messages',
};

export function callTypeOf({ operation, dialect }: Pick<RequestRecord, 'operation' | 'dialect'>): string {
  return callTypesOfFormats[dialect as DialectName] ?? callTypes[operation];
}

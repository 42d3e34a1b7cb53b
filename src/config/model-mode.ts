import type { Operation } from '../core/operation.ts';

/** What a model of a mode can be asked for. */
export const operationsByMode: Readonly<Record<string, readonly Operation[]>> = {
  chat: ['chat', 'compaction'],
  completion: ['chat'],
  responses: ['chat', 'compaction'],
  embedding: ['embedding'],
  rerank: ['rerank'],
  moderation: ['moderation'],
  image_generation: ['image'],
  image_edit: ['image'],
  // Meant for batches, which are made of chats and embeddings.
  batch: ['chat', 'embedding'],
  audio_speech: ['speech'],
  audio_transcription: ['transcription'],
  realtime: ['realtime'],
};

/** Modes whose answers are not paid for: only the input has a price. */
export function isAnsweredFree(mode: string | null): boolean {
  return mode === 'embedding' || mode === 'rerank' || mode === 'moderation';
}

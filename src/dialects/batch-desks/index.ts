import type { BatchDesk, BatchDeskName } from '../../core/batch-desk.ts';
import { anthropicDesk } from './anthropic.ts';
import { mistralDesk } from './mistral.ts';
import { openaiDesk } from './openai.ts';

export const batchDesks: ReadonlyMap<BatchDeskName, BatchDesk> = new Map([
  ['openai-batches', openaiDesk],
  ['mistral-jobs', mistralDesk],
  ['message-batches', anthropicDesk],
]);

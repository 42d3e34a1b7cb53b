import type { BatchDesk, BatchDeskName } from '../../core/batch-desk.ts';
import { anthropicDesk } from './anthropic.ts';
import { bedrockDesk } from './bedrock.ts';
import { geminiDesk } from './gemini.ts';
import { mistralDesk } from './mistral.ts';
import { openaiDesk } from './openai.ts';
import { vertexDesk } from './vertex.ts';

export const batchDesks: ReadonlyMap<BatchDeskName, BatchDesk> = new Map([
  ['openai-batches', openaiDesk],
  ['mistral-jobs', mistralDesk],
  ['message-batches', anthropicDesk],
  ['gemini-batches', geminiDesk],
  ['vertex-jobs', vertexDesk],
  ['bedrock-jobs', bedrockDesk],
]);

import { describe, expect, it } from 'vitest';
import type { BatchDeskName } from '../../core/batch-desk.ts';
import type { JsonObject } from '../../core/json.ts';
import { batchDesks } from './index.ts';

/* What is taken for nothing done (and is run again), what for done in doubt (and is charged): by what each provider says. */
type End = 'nothing' | 'doubt' | 'known';

const gemini = (state: string, more: JsonObject = {}) => ({ metadata: { state: `BATCH_STATE_${state}`, ...more } });
const vertex = (state: string, more: JsonObject = {}) => ({ state: `JOB_STATE_${state}`, ...more });
const startTime = '2026-11-25T00:00:00Z';

const cases: readonly (readonly [BatchDeskName, JsonObject, End])[] = [
  ['openai-batches', { status: 'failed' }, 'nothing'],
  ['openai-batches', { status: 'failed', request_counts: { completed: 1 } }, 'known'],
  ['mistral-jobs', { status: 'FAILED', completed_requests: 0 }, 'nothing'],
  ['mistral-jobs', { status: 'FAILED', completed_requests: 2 }, 'known'],
  ['mistral-jobs', { status: 'FAILED', started_at: null }, 'nothing'],
  ['mistral-jobs', { status: 'FAILED' }, 'doubt'],
  ['mistral-jobs', { status: 'FAILED', started_at: 1, output_file: 'f' }, 'doubt'],
  ['mistral-jobs', { status: 'TIMEOUT_EXCEEDED' }, 'doubt'],
  ['mistral-jobs', { status: 'CANCELLED', output_file: 'f' }, 'known'],
  ['mistral-jobs', { status: 'SUCCESS' }, 'known'],
  ['gemini-batches', gemini('FAILED', { batchStats: { requestCount: '2', failedRequestCount: '2' } }), 'nothing'],
  ['gemini-batches', gemini('FAILED'), 'doubt'],
  ['gemini-batches', gemini('FAILED', { batchStats: {} }), 'doubt'],
  ['gemini-batches', gemini('EXPIRED'), 'doubt'],
  ['gemini-batches', gemini('EXPIRED', { batchStats: { requestCount: '2', pendingRequestCount: '2' } }), 'known'],
  ['gemini-batches', gemini('SUCCEEDED'), 'known'],
  ['vertex-jobs', vertex('FAILED'), 'nothing'],
  ['vertex-jobs', vertex('FAILED', { startTime }), 'doubt'],
  ['vertex-jobs', vertex('FAILED', { startTime, completionStats: { incompleteCount: '-1' } }), 'doubt'],
  ['vertex-jobs', vertex('FAILED', { startTime, completionStats: { incompleteCount: '3' } }), 'nothing'],
  ['vertex-jobs', vertex('CANCELLED'), 'known'],
  ['vertex-jobs', vertex('CANCELLED', { startTime }), 'doubt'],
  ['vertex-jobs', vertex('CANCELLED', { startTime, outputInfo: { gcsOutputDirectory: 'gs://b/o' } }), 'known'],
  ['bedrock-jobs', { status: 'Failed', processedRecordCount: 0 }, 'nothing'],
  ['bedrock-jobs', { status: 'Failed', processedRecordCount: 1 }, 'known'],
  ['bedrock-jobs', { status: 'Failed' }, 'doubt'],
];

describe('how a batch at its provider ended', () => {
  it.each(cases)('%s: %j is %s', async (name, answer, end) => {
    const state = await batchDesks.get(name)!.look(async () => Buffer.from(JSON.stringify(answer)), 'some-id');
    expect(state.isOver).toBe(true);
    const { refusal, doubt = null } = state;
    expect(refusal !== null ? 'nothing' : doubt !== null ? 'doubt' : 'known').toBe(end);
  });
});

import { type AskDesk, type BatchDesk, customIdOf } from '../../core/batch-desk.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { endOf, keyedAnswers, nameIn, numberIn, placeIn, storeOf } from './jobs.ts';
import { json, objectIn } from './lines.ts';

const over: ReadonlySet<unknown> = new Set(
  ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED', 'PARTIALLY_SUCCEEDED'].map((word) => `JOB_STATE_${word}`),
);
const label = 'tollgate_request';

/**
 * https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-from-cloud-storage: jobs over files in
 * Cloud Storage. Answers come in any order, each with its request: a label says which one, for Claude a field beside it.
 */
export const vertexDesk: BatchDesk = {
  paths: { 'gemini-generate': 'labels', 'anthropic-messages': 'custom_id' },
  async submit(ask, { name, path, model, bodies, store }) {
    const { uri } = storeOf(store);
    const lines = bodies.map((body, index) => JSON.stringify(named(objectIn(body), path, customIdOf(index))));
    const input = `${uri}${name}.jsonl`;
    const { bucket, key } = placeIn(input);
    const query = `uploadType=media&name=${encodeURIComponent(key)}`;
    await ask({
      method: 'POST',
      room: 'files',
      tail: `/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?${query}`,
      body: Buffer.from(lines.join('\n')),
      contentType: 'application/jsonl',
      isUpload: true,
    });
    const job = {
      displayName: name,
      model,
      inputConfig: { instancesFormat: 'jsonl', gcsSource: { uris: [input] } },
      outputConfig: { predictionsFormat: 'jsonl', gcsDestination: { outputUriPrefix: `${uri}${name}` } },
    };
    const told = nameIn(objectIn(await ask({ method: 'POST', tail: '/batchPredictionJobs', ...json(job) })));
    return told.slice(told.lastIndexOf('/') + 1);
  },
  async look(ask, id) {
    const job = objectIn(await ask({ method: 'GET', tail: `/batchPredictionJobs/${encodeURIComponent(id)}` }));
    const { state, completionStats: stats, outputInfo, error } = job;
    const folder = isJsonObject(outputInfo) ? outputInfo.gcsOutputDirectory : undefined;
    const completed = numberIn(stats, 'successfulCount');
    // Counts of none are left out, but not all of them at once; -1 stands for one that is not known.
    const tells = isJsonObject(stats) && Object.keys(stats).length > 0 && numberIn(stats, 'incompleteCount') >= 0;
    const ended = `the job is ${String(state).slice('JOB_STATE_'.length).toLowerCase()}`;
    return {
      isOver: over.has(state),
      ...(over.has(state) && state !== 'JOB_STATE_SUCCEEDED' && state !== 'JOB_STATE_PARTIALLY_SUCCEEDED'
        ? endOf({
            isFailed: state === 'JOB_STATE_FAILED',
            reason: isJsonObject(error) && typeof error.message === 'string' ? error.message : ended,
            begunAt: job.startTime ?? null,
            done: tells ? completed : undefined,
            hasAnswers: typeof folder === 'string',
          })
        : { refusal: null }),
      isWhole: state === 'JOB_STATE_SUCCEEDED',
      completed,
      failed: numberIn(stats, 'failedCount'),
      resultsAt: typeof folder === 'string' ? [folder] : [],
    };
  },
  async *results(ask, { resultsAt }) {
    for (const folder of resultsAt) {
      const { bucket, key } = placeIn(folder);
      const objects = `/storage/v1/b/${encodeURIComponent(bucket)}/o`;
      const prefix = encodeURIComponent(`${key.replace(/\/$/, '')}/`);
      for await (const name of namesIn(ask, `${objects}?prefix=${prefix}`)) {
        if (!name.endsWith('.jsonl')) continue;
        const tail = `${objects}/${encodeURIComponent(name)}?alt=media`;
        yield* keyedAnswers(await ask({ method: 'GET', room: 'files', tail }), answerIn);
      }
    }
  },
  async cancel(ask, id) {
    await ask({ method: 'POST', tail: `/batchPredictionJobs/${encodeURIComponent(id)}:cancel`, ...json({}) });
  },
};

/** Every object of a folder, page after page. */
async function* namesIn(ask: AskDesk, list: string): AsyncGenerator<string> {
  for (let page = ''; ; ) {
    const { items, nextPageToken: next } = objectIn(
      await ask({ method: 'GET', room: 'files', tail: `${list}${page}` }),
    );
    for (const item of Array.isArray(items) ? items : []) if (isJsonObject(item)) yield nameIn(item);
    if (typeof next !== 'string' || next === '') return;
    page = `&pageToken=${encodeURIComponent(next)}`;
  }
}

function named(request: JsonObject, path: string, key: string): JsonObject {
  if (path === 'custom_id') return { custom_id: key, request };
  const labels = isJsonObject(request.labels) ? request.labels : {};
  return { request: { ...request, labels: { ...labels, [label]: key } } };
}

/** A failure is told in words, with the error of a single call in them. */
function answerIn({ custom_id: id, request, response, status }: JsonObject) {
  const labels = isJsonObject(request) && isJsonObject(request.labels) ? request.labels : {};
  const key = id ?? labels[label];
  if (typeof status !== 'string' || status === '') return { key, answer: response, error: undefined };
  const code = Number(/"code":\s*(\d+)/.exec(status)?.[1] ?? 500);
  return { key, answer: undefined, error: { code, message: status } };
}

import { type AskDesk, type BatchDesk, type BatchOrder, customIdOf } from '../../core/batch-desk.ts';
import { isJsonObject } from '../../core/json.ts';
import { endOf, keyedAnswers, linesOf, nameIn, numberIn } from './jobs.ts';
import { json, objectIn } from './lines.ts';

const over: ReadonlySet<unknown> = new Set(
  ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'].map((word) => `BATCH_STATE_${word}`),
);
const boundary = 'tollgate-batch-8c2e5f1b7d904a36';

/** https://ai.google.dev/gemini-api/docs/batch-api: a file of requests, an operation, a file of answers. */
export const geminiDesk: BatchDesk = {
  paths: { 'gemini-generate': ':batchGenerateContent' },
  async submit(ask, order) {
    const batch = { displayName: order.name, inputConfig: { fileName: await upload(ask, order) } };
    const tail = `/${order.model}${order.path}`;
    return nameIn(objectIn(await ask({ method: 'POST', tail, ...json({ batch }) })));
  },
  async look(ask, id) {
    const { metadata, error } = objectIn(await ask({ method: 'GET', tail: `/${id}` }));
    const { state, batchStats, output } = isJsonObject(metadata) ? metadata : {};
    const completed = numberIn(batchStats, 'successfulRequestCount');
    const file = isJsonObject(output) ? output.responsesFile : undefined;
    return {
      isOver: over.has(state),
      ...(over.has(state) && state !== 'BATCH_STATE_SUCCEEDED'
        ? endOf({
            isFailed: state === 'BATCH_STATE_FAILED',
            reason: messageIn(error) ?? `the batch is ${String(state).slice('BATCH_STATE_'.length).toLowerCase()}`,
            // Counts of none are left out, but not all of them at once.
            done: isJsonObject(batchStats) && Object.keys(batchStats).length > 0 ? completed : undefined,
            hasAnswers: typeof file === 'string',
          })
        : { refusal: null }),
      isWhole: state === 'BATCH_STATE_SUCCEEDED',
      completed,
      failed: numberIn(batchStats, 'failedRequestCount'),
      resultsAt: typeof file === 'string' ? [file] : [],
    };
  },
  async *results(ask, { resultsAt }) {
    for (const file of resultsAt) {
      const bytes = await ask({ method: 'GET', room: 'files', tail: `/${file}:download?alt=media` });
      yield* keyedAnswers(bytes, ({ key, response, error }) => ({ key, answer: response, error }));
    }
  },
  async cancel(ask, id) {
    await ask({ method: 'POST', tail: `/${id}:cancel`, ...json({}) });
  },
};

/** In one call: what the file is, and the file. */
async function upload(ask: AskDesk, { name, bodies }: BatchOrder): Promise<string> {
  const part = (type: string) => Buffer.from(`\r\n--${boundary}\r\ncontent-type: ${type}\r\n\r\n`);
  const about = { file: { displayName: name, mimeType: 'application/jsonl' } };
  const lines = linesOf(bodies, (index) => [`{"key":"${customIdOf(index)}","request":`, '}']);
  const body = Buffer.concat([
    part('application/json'),
    Buffer.from(JSON.stringify(about)),
    part('application/jsonl'),
    lines,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const contentType = `multipart/related; boundary=${boundary}`;
  const headers = ['x-goog-upload-protocol', 'multipart'];
  const question = { tail: '/files', headers, body, contentType };
  const { file } = objectIn(await ask({ method: 'POST', room: 'files', ...question, isUpload: true }));
  return nameIn(isJsonObject(file) ? file : {});
}

function messageIn(error: unknown): string | undefined {
  return isJsonObject(error) && typeof error.message === 'string' ? error.message : undefined;
}

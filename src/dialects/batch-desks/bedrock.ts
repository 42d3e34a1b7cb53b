import { type BatchDesk, customIdOf } from '../../core/batch-desk.ts';
import { asGatewayError, GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { endOf, keyedAnswers, linesOf, numberIn, placeIn, storeOf } from './jobs.ts';
import { json, objectIn } from './lines.ts';

const over: ReadonlySet<unknown> = new Set(['Completed', 'PartiallyCompleted', 'Failed', 'Stopped', 'Expired']);

/** https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html: jobs over files in S3. */
export const bedrockDesk: BatchDesk = {
  paths: {
    'bedrock-converse': 'Converse',
    'anthropic-messages': 'InvokeModel',
    'titan-embed': 'InvokeModel',
    'invoked-cohere-embed': 'InvokeModel',
  },
  async submit(ask, { name, path, model, bodies, store }) {
    const { uri, role } = storeOf(store);
    const input = `${uri}${name}.jsonl`;
    // Records are known under names of one length.
    const lines = linesOf(bodies, (index) => [
      `{"recordId":"${customIdOf(index).replace(/\d+/, (digits) => digits.padStart(10, '0'))}","modelInput":`,
      '}',
    ]);
    const file = { tail: tailOf(input), body: lines, contentType: 'application/jsonl' };
    await ask({ method: 'PUT', room: 'files', ...file, isUpload: true });
    const job = {
      jobName: name,
      clientRequestToken: name,
      roleArn: role,
      modelId: model,
      modelInvocationType: path,
      inputDataConfig: { s3InputDataConfig: { s3InputFormat: 'JSONL', s3Uri: input } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: uri } },
      timeoutDurationInHours: 24,
    };
    const { jobArn } = objectIn(await ask({ method: 'POST', tail: '/model-invocation-job', ...json(job) }));
    if (typeof jobArn === 'string') return jobArn;
    throw new GatewayError('upstream_connection', 'the answer names no job');
  },
  async look(ask, id) {
    const job = objectIn(await ask({ method: 'GET', tail: `/model-invocation-job/${encodeURIComponent(id)}` }));
    const { status, message, processedRecordCount: processed } = job;
    const reason = typeof message === 'string' && message !== '' ? message : 'the job failed';
    const done = typeof processed === 'number' ? processed : undefined;
    return {
      isOver: over.has(status),
      ...(status === 'Failed' ? endOf({ isFailed: true, reason, done, hasAnswers: true }) : { refusal: null }),
      isWhole: status === 'Completed',
      completed: numberIn(job, 'successRecordCount'),
      failed: numberIn(job, 'errorRecordCount'),
      resultsAt: resultsOf(job, id),
    };
  },
  async *results(ask, { resultsAt, completed, failed }) {
    for (const file of resultsAt) {
      const bytes = await ask({ method: 'GET', room: 'files', tail: tailOf(file) }).catch((cause: unknown) => {
        // What was stopped before anything was done leaves no file.
        if (completed + failed === 0 && asGatewayError(cause).status === 404) return Buffer.alloc(0);
        throw cause;
      });
      yield* keyedAnswers(bytes, answerIn);
    }
  },
  async cancel(ask, id) {
    await ask({ method: 'POST', tail: `/model-invocation-job/${encodeURIComponent(id)}/stop`, ...json({}) });
  },
};

function tailOf(uri: string): string {
  return `/${placeIn(uri).key.split('/').map(encodeURIComponent).join('/')}`;
}

/** In a folder named like the job, a file named like that of the requests. */
function resultsOf({ inputDataConfig: from, outputDataConfig: to }: JsonObject, id: string): string[] {
  const input = isJsonObject(from) ? from.s3InputDataConfig : undefined;
  const output = isJsonObject(to) ? to.s3OutputDataConfig : undefined;
  if (!isJsonObject(input) || !isJsonObject(output)) return [];
  const { s3Uri: file } = input;
  const { s3Uri: folder } = output;
  if (typeof file !== 'string' || typeof folder !== 'string') return [];
  const last = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  return [`${folder.replace(/\/$/, '')}/${last(id)}/${last(file)}.out`];
}

function answerIn({ recordId: key, modelOutput: answer, error }: JsonObject) {
  if (!isJsonObject(error)) return { key, answer, error: undefined };
  return { key, answer, error: { code: error.errorCode, message: error.errorMessage } };
}

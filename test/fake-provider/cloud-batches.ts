import type { AnswerRequest } from './answer.ts';
import { isRecord, parseJson } from './json.ts';
import type { Answered } from './kept-batches.ts';
import { errorBody, operationFor } from './operations.ts';
import type { RecordedRequest } from './record.ts';
import type { Script } from './script.ts';

type Line = Record<string, unknown>;

interface Job {
  readonly input: string;
  readonly output: string;
  readonly model: string;
  readonly suffix: string;
  readonly asked: Line;
  looksLeft: number;
  isCancelled: boolean;
  good: number;
  bad: number;
}

/**
 * Batches over files in buckets, and Gemini's over files of its own: answered at the second look, in the reverse order.
 * Sources: https://ai.google.dev/api/batch-api, https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html
 */
export class CloudBatches {
  /** By bucket and name, or by Gemini's own name of it. */
  readonly files = new Map<string, string>();
  readonly #jobs = new Map<string, Job>();
  readonly #scriptFor: (request: RecordedRequest, model: string) => Script;
  #count = 0;
  looks = 1;
  failure: string | null = null;
  /** A failed job says how many records it had worked on. */
  tellsProcessed = true;
  /** Answers of Vertex AI that are counted, and not in the file. */
  lostAnswers = 0;
  /** Every answer has a file of its own, and a bucket tells one at a time. */
  isSplit = false;
  /** Uploads whose connection breaks before they are answered. */
  uploadsToBreak = 0;
  /** Jobs that are taken, and whose connection breaks before that is told. */
  jobsToBreak = 0;
  /** Length that the answers of the next job are said to have. */
  announcedBytes: number | null = null;

  constructor(scriptFor: (request: RecordedRequest, model: string) => Script) {
    this.#scriptFor = scriptFor;
  }

  /** undefined when this is no question about batches. */
  answer(request: RecordedRequest): Answered | undefined {
    const isUpload = request.method === 'PUT' || request.path.includes('/upload/');
    if (isUpload && this.uploadsToBreak > 0) {
      this.uploadsToBreak -= 1;
      return { status: 500, body: {}, isBroken: true };
    }
    return this.#gemini(request) ?? this.#vertex(request) ?? this.#bedrock(request);
  }

  #gemini(request: RecordedRequest): Answered | undefined {
    const { method, path, json, body } = request;
    if (method === 'POST' && path.endsWith('/upload/v1beta/files')) {
      const parts = body.toString().split(/\r\n--[^\r]+\r\n/);
      this.#count += 1;
      const name = `files/in${this.#count}`;
      this.files.set(name, parts[2]!.slice(parts[2]!.indexOf('\r\n\r\n') + 4));
      return { status: 200, body: { file: { name, uri: `https://x/${name}` } } };
    }
    const download = /\/download\/v1beta\/(files\/[^:]+):download$/.exec(path)?.[1];
    if (download !== undefined) return this.#file(download);
    const [, model] = /\/models\/([^:/]+):batchGenerateContent$/.exec(path) ?? [];
    if (model !== undefined && isRecord(json) && isRecord(json.batch) && isRecord(json.batch.inputConfig)) {
      const input = String(json.batch.inputConfig.fileName);
      const output = input.replace('in', 'out');
      const id = this.#begin({ input, output, model, suffix: ':generateContent', asked: json.batch });
      return { status: 200, body: { name: `batches/${id}`, metadata: { state: 'BATCH_STATE_PENDING' } } };
    }
    const [, id, verb] = /\/v1beta\/batches\/([^/:]+)(:cancel)?$/.exec(path) ?? [];
    const job = this.#jobs.get(id ?? '');
    if (job === undefined) return undefined;
    if (verb !== undefined) return this.#cancel(job);
    this.#look(job, request, ({ key, request: asked }, status, told) =>
      status === 200
        ? { key, response: told }
        : { key, error: { code: 3, message: (told as { error: Line }).error.message }, asked: asked === undefined },
    );
    const word = this.failure !== null ? 'FAILED' : job.isCancelled ? 'CANCELLED' : 'SUCCEEDED';
    const isOver = job.looksLeft === 0;
    const tellsStats = this.failure === null || this.tellsProcessed;
    const stats = { successfulRequestCount: `${job.good}`, failedRequestCount: `${job.bad}` };
    const output = this.files.has(job.output) ? { output: { responsesFile: job.output } } : {};
    const batchStats = tellsStats ? { batchStats: stats } : {};
    const metadata = { state: `BATCH_STATE_${isOver ? word : 'RUNNING'}`, ...batchStats, ...output };
    const error = this.failure === null ? {} : { error: { code: 9, message: this.failure } };
    return { status: 200, body: { name: `batches/${id}`, done: isOver, metadata, ...error } };
  }

  #vertex(request: RecordedRequest): Answered | undefined {
    const { method, path, query, json, body } = request;
    const upload = /\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(path)?.[1];
    if (upload !== undefined) {
      this.files.set(`${upload}/${query.get('name')}`, body.toString());
      return { status: 200, body: { name: query.get('name') } };
    }
    const [, bucket, name] = /\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(path) ?? [];
    if (bucket !== undefined && name !== undefined) return this.#file(`${bucket}/${decodeURIComponent(name)}`);
    if (bucket !== undefined) {
      const prefix = `${bucket}/${query.get('prefix')}`;
      const found = [...this.files.keys()].filter((one) => one.startsWith(prefix));
      const items = found.map((one) => ({ name: one.slice(bucket.length + 1) }));
      if (!this.isSplit) return { status: 200, body: { items } };
      const at = Number(query.get('pageToken') ?? 0);
      const more = at + 1 < items.length ? { nextPageToken: String(at + 1) } : {};
      return { status: 200, body: { items: items.slice(at, at + 1), ...more } };
    }
    const [, id, verb] = /\/batchPredictionJobs(?:\/([^/:]+)(:cancel)?)?$/.exec(path) ?? [];
    const place = /(projects\/.*\/batchPredictionJobs)/.exec(path)?.[1];
    if (place === undefined) return undefined;
    if (method === 'POST' && id === undefined) {
      const asked = json as { model: string; inputConfig: { gcsSource: { uris: string[] } } } & {
        outputConfig: { gcsDestination: { outputUriPrefix: string } };
      };
      const model = asked.model.slice(asked.model.lastIndexOf('/') + 1);
      const suffix = asked.model.includes('anthropic') ? '/invoke' : ':generateContent';
      const input = asked.inputConfig.gcsSource.uris[0]!.slice('gs://'.length);
      const folder = `${asked.outputConfig.gcsDestination.outputUriPrefix.slice('gs://'.length)}/prediction-model-1`;
      const made = this.#begin({ input, output: `${folder}/predictions.jsonl`, model, suffix, asked: asked as never });
      return { status: 200, body: { name: `${place}/${made}`, state: 'JOB_STATE_PENDING' } };
    }
    const job = this.#jobs.get(id ?? '');
    if (job === undefined) return { status: 404, body: errorBody('google', 404, { message: 'No such job' }) };
    if (verb !== undefined) return this.#cancel(job);
    this.#look(job, request, (line, status, told) =>
      status === 200
        ? { ...line, status: '', response: told }
        : { ...line, status: `Bad Request: ${JSON.stringify(told)}`, response: {} },
    );
    const word = this.failure !== null ? 'FAILED' : job.isCancelled ? 'CANCELLED' : 'SUCCEEDED';
    const gcsOutputDirectory = `gs://${job.output.slice(0, job.output.lastIndexOf('/'))}`;
    const told = {
      name: `${place}/${id}`,
      state: `JOB_STATE_${job.looksLeft === 0 ? word : 'RUNNING'}`,
      startTime: '2026-11-25T00:00:00Z',
      ...((this.failure === null || this.tellsProcessed) && {
        completionStats: { successfulCount: `${job.good + this.lostAnswers}`, failedCount: `${job.bad}` },
      }),
      ...(this.files.has(job.output) && { outputInfo: { gcsOutputDirectory } }),
      ...(this.failure !== null && { error: { code: 9, message: this.failure } }),
    };
    return { status: 200, body: told };
  }

  #bedrock(request: RecordedRequest): Answered | undefined {
    const { method, path, json, body } = request;
    const [, key] = /^\/(s3-[^/]+\/.+)$/.exec(path) ?? [];
    if (key !== undefined && method === 'PUT') this.files.set(key, body.toString());
    if (key !== undefined) return method === 'PUT' ? { status: 200, body: {}, text: '' } : this.#file(key);
    const [, id, verb] = /^\/model-invocation-job(?:\/([^/]+?)(\/stop)?)?$/.exec(path) ?? [];
    if (path.startsWith('/model-invocation-job') && id === undefined) {
      const asked = json as Line & Record<'modelId' | 'modelInvocationType', string>;
      const input = uriIn(asked.inputDataConfig, 's3InputDataConfig');
      const made = `j${this.#count + 1}`;
      const output = `${uriIn(asked.outputDataConfig, 's3OutputDataConfig')}${made}/${input.slice(input.lastIndexOf('/') + 1)}.out`;
      const suffix = asked.modelInvocationType === 'Converse' ? '/converse' : '/invoke';
      this.#begin({ input, output, model: asked.modelId, suffix, asked });
      if (this.jobsToBreak > 0) {
        this.jobsToBreak -= 1;
        return { status: 500, body: {}, isBroken: true };
      }
      return { status: 200, body: { jobArn: `arn:aws:bedrock:us-west-2:1:model-invocation-job/${made}` } };
    }
    const job = this.#jobs.get(decodeURIComponent(id ?? '').replace(/^.*\//, ''));
    if (job === undefined) return undefined;
    if (verb !== undefined) return this.#cancel(job);
    this.#look(job, request, (line, status, told) =>
      status === 200
        ? { ...line, modelOutput: told }
        : { ...line, error: { errorCode: status, errorMessage: (told as Line).message } },
    );
    const word = this.failure !== null ? 'Failed' : job.isCancelled ? 'Stopped' : 'Completed';
    const told = {
      ...job.asked,
      status: job.looksLeft === 0 ? word : 'InProgress',
      successRecordCount: job.good,
      errorRecordCount: job.bad,
      ...(this.tellsProcessed && { processedRecordCount: job.good + job.bad }),
      ...(this.failure !== null && { message: this.failure }),
    };
    return { status: 200, body: told };
  }

  #file(name: string): Answered {
    const text = this.files.get(name);
    const missing = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>No such key.</Message></Error>';
    return text === undefined
      ? { status: 404, body: {}, text: missing }
      : { status: 200, body: {}, text, announcedBytes: this.announcedBytes };
  }

  #begin(job: Pick<Job, 'input' | 'output' | 'model' | 'suffix' | 'asked'>): string {
    this.#count += 1;
    const id = `j${this.#count}`;
    this.#jobs.set(id, { ...job, looksLeft: this.looks, isCancelled: false, good: 0, bad: 0 });
    return id;
  }

  #cancel(job: Job): Answered {
    job.isCancelled = true;
    job.looksLeft = 1;
    return { status: 200, body: {} };
  }

  /** What was cancelled had answered its first request. */
  #look(job: Job, request: RecordedRequest, tell: (line: Line, status: number, told: unknown) => Line): void {
    if (job.looksLeft === 0) return;
    job.looksLeft -= 1;
    if (job.looksLeft > 0 || this.failure !== null) return;
    const text = this.files.get(job.input) ?? '';
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    const operation = operationFor(job.suffix)!;
    const told = (job.isCancelled ? lines.slice(0, 1) : lines).map((one, index) => {
      const line = parseJson(one) as Line;
      const asked = (line.request ?? line.modelInput) as Line;
      const script = this.#scriptFor(request, job.model);
      const { status = 200 } = script;
      if (status >= 400) job.bad += 1;
      else job.good += 1;
      if (status >= 400) return tell(line, status, errorBody(operation.family, status, script.error));
      const answered: AnswerRequest = {
        body: { ...asked, model: job.model },
        bodyBytes: one.length,
        serial: `b${this.#count}x${index}`,
      };
      return tell(line, 200, operation.compose(answered, script).json());
    });
    const texts = told.reverse().map((one) => JSON.stringify(one));
    if (!this.isSplit) this.files.set(job.output, texts.join('\n'));
    else
      for (const [at, text] of texts.entries())
        this.files.set(at === 0 ? job.output : `${job.output}.${at}.jsonl`, text);
  }
}

function uriIn(config: unknown, name: string): string {
  const place = isRecord(config) ? config[name] : undefined;
  return String(isRecord(place) ? place.s3Uri : '').slice('s3://'.length);
}

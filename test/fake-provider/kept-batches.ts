import type { AnswerRequest } from './answer.ts';
import { isRecord } from './json.ts';
import { errorBody, operationFor } from './operations.ts';
import type { RecordedRequest } from './record.ts';
import type { Script } from './script.ts';

interface Line {
  readonly custom_id: string;
  readonly url?: string;
  readonly body?: Record<string, unknown>;
  readonly params?: Record<string, unknown>;
}

interface KeptBatch {
  readonly id: string;
  readonly lines: readonly Line[];
  readonly endpoint: string;
  /** Looks until it is over. */
  looksLeft: number;
  isCancelled: boolean;
  failure: string | null;
  results: readonly { customId: string; status: number; body: unknown }[];
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
  /** In place of `body`. */
  readonly text?: string;
  /** The connection ends in its place. */
  readonly isBroken?: true;
  readonly announcedBytes?: number | null;
}

/**
 * Batch APIs as OpenAI, Mistral and Anthropic have them: requests come in one file or body, and are answered at the second look.
 * Sources: https://platform.openai.com/docs/api-reference/batch, https://docs.mistral.ai/api/endpoint/batch,
 * https://docs.anthropic.com/en/api/creating-message-batches
 */
export class KeptBatches {
  readonly #files = new Map<string, string>();
  readonly #batches = new Map<string, KeptBatch>();
  readonly #scriptFor: (request: RecordedRequest, model: string) => Script;
  #count = 0;
  looks = 2;
  /** Why the next batch fails when it is validated. */
  failure: string | null = null;

  /** What is wrong with the file of answers: an answer left out, one told twice, one to a request that nobody made. */
  resultFaults: { withheld?: string; twice?: string; foreign?: string } = {};
  /** Files of answers are not there. */
  losesResults = false;

  /** A failed job says how many requests it had worked on. */
  tellsCompleted = true;

  constructor(scriptFor: (request: RecordedRequest, model: string) => Script) {
    this.#scriptFor = scriptFor;
  }

  /** undefined when this is no question about batches. */
  answer(request: RecordedRequest): Answered | undefined {
    const { method, path } = request;
    const tail = /\/(files|batches|batch\/jobs|messages\/batches)(?:\/([^/]+))?(?:\/(content|cancel|results))?$/.exec(
      path,
    );
    if (tail === null) return undefined;
    const [, room, id, verb] = tail as unknown as [string, string, string | undefined, string | undefined];
    if (room === 'files') return method === 'POST' ? this.#upload(request) : this.#content(id ?? '');
    if (method === 'POST' && id === undefined) return this.#create(request, room);
    const batch = this.#batches.get(id ?? '');
    if (batch === undefined) return { status: 404, body: errorBody('openai', 404, { message: 'No such batch' }) };
    if (verb === 'cancel') {
      batch.isCancelled = true;
      batch.looksLeft = 1;
    } else if (verb === 'results') {
      return { status: 200, body: {}, text: batch.results.map((one) => JSON.stringify(messageResult(one))).join('\n') };
    } else if (batch.looksLeft > 0) {
      batch.looksLeft -= 1;
      if (batch.looksLeft === 0) this.#run(batch, request);
    }
    return { status: 200, body: this.#told(batch, room) };
  }

  #upload({ body }: RecordedRequest): Answered {
    const text = body.toString();
    const from = text.indexOf('\r\n\r\n', text.indexOf('filename=')) + 4;
    this.#count += 1;
    const id = `file-up${this.#count}`;
    this.#files.set(id, text.slice(from, text.lastIndexOf('\r\n--')));
    return { status: 200, body: { id, object: 'file', purpose: 'batch' } };
  }

  #content(id: string): Answered {
    const text = this.#files.get(id);
    if (text === undefined || this.losesResults) {
      return { status: 404, body: errorBody('openai', 404, { message: 'No such file' }) };
    }
    return { status: 200, body: {}, text };
  }

  #create({ json }: RecordedRequest, room: string): Answered {
    const asked = isRecord(json) ? json : {};
    const named = asked.input_file_id ?? (Array.isArray(asked.input_files) ? asked.input_files[0] : undefined);
    const lines = Array.isArray(asked.requests)
      ? (asked.requests as Line[])
      : (this.#files.get(String(named)) ?? '').split('\n').map((line) => JSON.parse(line) as Line);
    this.#count += 1;
    const batch: KeptBatch = {
      id: `batch-up${this.#count}`,
      lines,
      endpoint: String(asked.endpoint ?? '/v1/messages'),
      looksLeft: this.looks,
      isCancelled: false,
      failure: this.failure,
      results: [],
    };
    this.#batches.set(batch.id, batch);
    return { status: 200, body: this.#told(batch, room) };
  }

  /** What was cancelled had answered its first request. */
  #run(batch: KeptBatch, request: RecordedRequest): void {
    const lines = batch.isCancelled ? batch.lines.slice(0, 1) : batch.lines;
    const operation = operationFor(batch.endpoint)!;
    batch.results = lines.map(({ custom_id: customId, body, params }, index) => {
      const asked = body ?? params ?? {};
      const script = this.#scriptFor(request, String(asked.model));
      if (script.status !== undefined && script.status >= 400) {
        return { customId, status: script.status, body: errorBody(operation.family, script.status, script.error) };
      }
      const bodyBytes = JSON.stringify(asked).length;
      const answered: AnswerRequest = { body: asked, bodyBytes, serial: `${batch.id}x${index}` };
      return { customId, status: 200, body: operation.compose(answered, script).json() };
    });
    if (batch.failure !== null) batch.results = [];
    const files = [
      batch.results.filter(({ status }) => status === 200),
      batch.results.filter(({ status }) => status !== 200),
    ];
    for (const [index, results] of files.entries()) {
      if (results.length > 0) this.#files.set(`${batch.id}-${index}`, this.#linesOf(results).join('\n'));
    }
  }

  #linesOf(results: KeptBatch['results']): string[] {
    const { withheld, twice, foreign } = this.resultFaults;
    return results.flatMap((one) => {
      if (one.customId === withheld) return [];
      const line = JSON.stringify(fileLine(one));
      const stranger = foreign === undefined ? [] : [JSON.stringify(fileLine({ ...one, customId: foreign }))];
      return one.customId === twice ? [line, line, ...stranger] : [line];
    });
  }

  #told(batch: KeptBatch, room: string): unknown {
    const isOver = batch.looksLeft === 0;
    const good = batch.results.filter(({ status }) => status === 200).length;
    const bad = batch.results.length - good;
    const [output, errors] = [0, 1].map((index) =>
      this.#files.has(`${batch.id}-${index}`) ? `${batch.id}-${index}` : null,
    );
    if (room === 'messages/batches') {
      const processing = isOver ? 0 : batch.lines.length;
      return {
        id: batch.id,
        type: 'message_batch',
        processing_status: isOver ? 'ended' : 'in_progress',
        request_counts: { processing, succeeded: good, errored: bad, canceled: 0, expired: 0 },
      };
    }
    if (room === 'batch/jobs') {
      const over = batch.failure !== null ? 'FAILED' : batch.isCancelled ? 'CANCELLED' : 'SUCCESS';
      const told = { total_requests: batch.lines.length, succeeded_requests: good, failed_requests: bad };
      const counts = this.tellsCompleted ? { ...told, completed_requests: good + bad } : {};
      return {
        id: batch.id,
        status: isOver ? over : 'RUNNING',
        errors: errorsOf(batch.failure),
        output_file: output,
        error_file: errors,
        ...counts,
      };
    }
    const over = batch.failure !== null ? 'failed' : batch.isCancelled ? 'cancelled' : 'completed';
    return {
      id: batch.id,
      object: 'batch',
      status: isOver ? over : 'in_progress',
      errors: batch.failure === null ? null : { object: 'list', data: [{ message: batch.failure }] },
      output_file_id: output,
      error_file_id: errors,
      request_counts: { total: batch.lines.length, completed: good, failed: bad },
    };
  }
}

function errorsOf(failure: string | null): unknown[] {
  return failure === null ? [] : [{ message: failure, count: 1 }];
}

function fileLine({ customId, status, body }: KeptBatch['results'][number]): unknown {
  return {
    id: 'batch_req_1',
    custom_id: customId,
    response: { status_code: status, request_id: 'r', body },
    error: null,
  };
}

function messageResult({ customId, status, body }: KeptBatch['results'][number]): unknown {
  const result = status === 200 ? { type: 'succeeded', message: body } : { type: 'errored', error: body };
  return { custom_id: customId, result };
}

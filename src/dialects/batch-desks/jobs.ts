import { type BatchAnswer, type BatchState, type BatchStore, indexOf } from '../../core/batch-desk.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { objectsIn } from './lines.ts';

/* Batches whose requests and answers lie in files of JSON lines, each under the name that it was given. */

/** Every body between two texts, one a line. */
export function linesOf(
  bodies: readonly Buffer[],
  around: (index: number) => readonly [before: string, after: string],
): Buffer {
  const parts = bodies.flatMap((body, index) => {
    const [before, after] = around(index);
    return [Buffer.from(before), body, Buffer.from(`${after}\n`)];
  });
  return Buffer.concat(parts);
}

export interface KeyedAnswer {
  readonly key: unknown;
  readonly answer: unknown;
  /** In its place: with a code like a status of HTTP. */
  readonly error: unknown;
}

export function* keyedAnswers(bytes: Buffer, read: (line: JsonObject) => KeyedAnswer): Generator<BatchAnswer> {
  for (const line of objectsIn(bytes)) {
    const { key, answer, error } = read(line);
    const index = indexOf(key);
    if (index === undefined) continue;
    if (isJsonObject(answer) && !isJsonObject(error)) yield { index, status: 200, body: answer };
    else if (isJsonObject(error)) yield { index, status: statusIn(error), body: { error } };
  }
}

function statusIn({ code }: JsonObject): number {
  const told = typeof code === 'number' ? code : 500;
  return told >= 400 && told < 600 ? told : (statusOfCode[told] ?? 500);
}

/** https://cloud.google.com/apis/design/errors: codes of `google.rpc`, as far as they come for a request. */
const statusOfCode: Readonly<Record<number, number>> = { 3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 11: 400, 14: 503 };

export function nameIn({ name }: JsonObject): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new GatewayError('upstream_connection', 'the answer names nothing');
}

export interface BrokenOff {
  /** It failed as a whole; else it was cancelled, or its time was over. */
  readonly isFailed: boolean;
  readonly reason: string;
  /** When it was taken up; null where it never was, undefined where that is not told. */
  readonly begunAt?: unknown;
  /** Requests that were worked on; undefined where nobody says. */
  readonly done: number | undefined;
  readonly hasAnswers: boolean;
}

/**
 * What a job that did not come to its end is taken for. Only a count of none, or that it was never taken up, says that
 * nothing was bought: without one its requests may have been answered, and be billed.
 */
export function endOf(job: BrokenOff): Pick<BatchState, 'refusal' | 'doubt'> {
  const { isFailed, reason, begunAt, done, hasAnswers } = job;
  if (done === 0 || (done === undefined && begunAt === null)) return { refusal: isFailed ? reason : null };
  const isKnown = done !== undefined || (hasAnswers && !isFailed);
  return { refusal: null, doubt: isKnown ? null : `${reason}; how much of it was done is not told` };
}

/** Large whole numbers travel as text. */
export function numberIn(value: unknown, name: string): number {
  const count = Number(isJsonObject(value) ? (value[name] ?? 0) : 0);
  return Number.isSafeInteger(count) ? count : 0;
}

/** `gs://bucket/some/file` and `s3://bucket/some/file` in their parts. */
export function placeIn(uri: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^\w+:\/\/([^/]+)\/?(.*)$/s.exec(uri) ?? [];
  return { bucket, key };
}

export function storeOf(store: BatchStore | null): BatchStore {
  if (store !== null) return store;
  throw new GatewayError('internal', 'a batch whose files have no place');
}

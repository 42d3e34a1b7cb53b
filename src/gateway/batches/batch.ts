import type { JsonObject } from '../../core/json.ts';
import type { DialectName } from '../../core/operation.ts';
import type { KeptObject, ObjectStore } from '../../core/ports.ts';

/** Days that files and results are kept. */
export const keptMs = 30 * 24 * 3_600_000;
/** A process that works on a batch says so again before this is over. */
export const leaseMs = 10_000;

export type BatchStatus =
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'cancelling'
  | 'cancelled'
  | 'expired'
  | 'failed';

/** A batch as it is kept. */
export interface Batch {
  readonly id: string;
  readonly owner: string;
  /** Whose requests these are. */
  readonly keyId: string;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: JsonObject | null;
  /** What the caller's headers say about every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  status: BatchStatus;
  total: number;
  completed: number;
  failed: number;
  outputFileId: string | null;
  errorFileId: string | null;
  endedAt: number | null;
  cancelAskedAt?: number;
  /** Why it failed as a whole. */
  failure?: string;
  /** Where the requests were handed to the provider's own batch API. */
  remote?: RemoteWork;
}

export interface RemoteWork {
  readonly deploymentId: string;
  /** Where that was: a deployment is another one as soon as one of its parameters changes. */
  readonly place?: { readonly provider: string; readonly model: string; readonly origin: string };
  /** The provider's words that the requests were put in. */
  readonly dialect: DialectName;
  /** The provider's id of it; null while it is being handed in. */
  readonly id: string | null;
}

export const activeParent = 'active-batches';

/** Batches in Anthropic's format are a list of their own. */
export function batchesOf(owner: string, ofMessages: boolean): string {
  return `${ofMessages ? 'message-batches' : 'batches'}:${owner}`;
}

export const messageBatchPrefix = 'msgbatch_';

export function isMessageBatch(id: string): boolean {
  return id.startsWith(messageBatchPrefix);
}

export function batchObject(batch: Batch): KeptObject {
  return {
    id: batch.id,
    kind: 'batch',
    owner: batch.owner,
    parent: batchesOf(batch.owner, isMessageBatch(batch.id)),
    position: Math.floor(batch.createdAt / 1_000),
    body: JSON.stringify(batch),
    expiresAt: batch.createdAt + keptMs,
  };
}

/** Which process works on a batch, and until when it is taken to be alive. */
export function activeObject({ id, createdAt }: Batch, runner: string, until: number): KeptObject {
  return {
    id: `active:${id}`,
    kind: 'batch-active',
    owner: 'gateway',
    parent: activeParent,
    position: 0,
    body: JSON.stringify({ batchId: id, runner, until }),
    expiresAt: createdAt + keptMs,
  };
}

export interface ActiveBatch {
  readonly batchId: string;
  readonly runner: string;
  readonly until: number;
}

/** What was set aside for each request: what it costs should nobody ever say what became of it. */
export function boundsObject(
  { id, owner, createdAt }: Batch,
  bounds: readonly { readonly bound: number }[],
): KeptObject {
  return {
    id: `bounds:${id}`,
    kind: 'batch-bounds',
    owner,
    parent: null,
    position: 0,
    body: JSON.stringify(bounds.map(({ bound }) => bound)),
    expiresAt: createdAt + keptMs,
  };
}

export async function readBounds(objects: ObjectStore, { id }: Batch): Promise<readonly number[]> {
  const found = await objects.get(`bounds:${id}`);
  return found === undefined ? [] : JSON.parse(found.body);
}

export async function readBatch(objects: ObjectStore, id: string): Promise<Batch | undefined> {
  const found = await objects.get(id);
  return found?.kind === 'batch' ? (JSON.parse(found.body) as Batch) : undefined;
}

function failureOf(message: string): JsonObject {
  return { object: 'list', data: [{ code: 'batch_failed', message, param: null, line: null }] };
}

/** As callers of OpenAI's format read it. */
export function toldBatch(batch: Batch): JsonObject {
  const seconds = (time: number | null) => (time === null ? null : Math.floor(time / 1_000));
  const endedAs = (status: BatchStatus) => (batch.status === status ? seconds(batch.endedAt) : null);
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    errors: batch.failure === undefined ? null : failureOf(batch.failure),
    input_file_id: batch.inputFileId,
    completion_window: '24h',
    status: batch.status,
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    created_at: seconds(batch.createdAt)!,
    in_progress_at: seconds(batch.createdAt),
    expires_at: seconds(batch.expiresAt),
    finalizing_at: null,
    completed_at: endedAs('completed'),
    failed_at: endedAs('failed'),
    expired_at: endedAs('expired'),
    cancelling_at: seconds(batch.cancelAskedAt ?? null),
    cancelled_at: endedAs('cancelled'),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    metadata: batch.metadata,
  };
}

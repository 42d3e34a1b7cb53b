import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { KeptObject } from '../../core/ports.ts';
import { type Batch, keptMs, messageBatchPrefix } from '../batches/batch.ts';
import { type BatchLine, batchRoute, workIn } from '../batches/lines.ts';
import { type KeptFile, readFileBytes, storeFile } from '../batches/result-files.ts';
import type { Gateway } from '../gateway.ts';
import { ownerOf } from '../kept/shelf.ts';
import { beginBatch, foundBatch, keptBatches, runsOf } from './batches.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';
import { foundFile, shelfOf } from './files.ts';
import { malformed } from './listing.ts';

/* `/v1/messages/batches`: Anthropic's format for the same batches. https://docs.anthropic.com/en/api/creating-message-batches */

const requestsMax = 100_000;
const customIdForm = /^[a-zA-Z0-9_-]{1,64}$/;
const limitDefault = 20;
const limitMax = 1_000;
/** Headers of the one call that mean each request of it. */
const meantForEach = ['anthropic-beta', 'anthropic-version'] as const;

export async function createMessageBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const runs = runsOf(gateway);
  const shelf = shelfOf(gateway);
  const lines = linesOf(call.body);
  const work = { ...batchRoute('/v1/messages'), lines, param: 'requests' };
  const bytes = Buffer.from(
    lines.map(({ customId, body }) => JSON.stringify({ custom_id: customId, body })).join('\n'),
  );
  const now = gateway.clock.now();
  const input: KeptFile = {
    id: `file-${gateway.chance.id().replaceAll('-', '')}`,
    owner: ownerOf(call.principal),
    fileName: 'requests.jsonl',
    purpose: 'batch',
    bytes: bytes.length,
    createdAt: now,
    expiresAt: now + keptMs,
    mediaType: 'application/jsonl',
  };
  await storeFile(shelf, input, bytes, false);
  const facts = {
    idPrefix: messageBatchPrefix,
    inputFileId: input.id,
    metadata: null,
    headers: headersForEach(call),
  };
  try {
    return answered(toldMessageBatch(await beginBatch(gateway, call, runs, work, facts)));
  } catch (cause) {
    await shelf.remove([input.id]);
    throw cause;
  }
}

function linesOf({ requests }: JsonObject): BatchLine[] {
  if (!Array.isArray(requests) || requests.length === 0) {
    throw malformed('requests', 'expected a list of at least one request');
  }
  if (requests.length > requestsMax) throw malformed('requests', `expected at most ${requestsMax} requests`);
  const ids = new Set<string>();
  return requests.map((request: unknown, index) => {
    const at = `requests.${index}`;
    if (!isJsonObject(request)) throw malformed(at, 'expected an object with custom_id and params');
    const { custom_id: customId, params } = request;
    if (typeof customId !== 'string' || !customIdForm.test(customId)) {
      throw malformed(`${at}.custom_id`, 'expected 1 to 64 letters, digits, hyphens and underscores');
    }
    if (ids.has(customId)) throw malformed(`${at}.custom_id`, `"${customId}" stands in an earlier request`);
    ids.add(customId);
    if (!isJsonObject(params))
      throw malformed(`${at}.params`, 'expected an object, the body of a request for a message');
    if (params.stream === true) throw malformed(`${at}.params.stream`, 'a batch has no streams');
    return { customId, body: params };
  });
}

function headersForEach({ headers }: FreeCall): Record<string, string> {
  const meant: Record<string, string> = {};
  for (const name of meantForEach) {
    const value = headers[name];
    if (value !== undefined) meant[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return meant;
}

export async function listMessageBatches(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const newestFirst = (await keptBatches(gateway, call, true)).reverse();
  const { query } = call;
  const limit = limitOf(query.get('limit'));
  const [afterId, beforeId] = [query.get('after_id'), query.get('before_id')];
  const placeOf = (id: string, name: string): number => {
    const place = newestFirst.findIndex((batch) => batch.id === id);
    if (place < 0) throw malformed(name, 'there is no batch with this id');
    return place;
  };
  const end = beforeId === null ? newestFirst.length : placeOf(beforeId, 'before_id');
  const from = afterId === null ? 0 : placeOf(afterId, 'after_id') + 1;
  const span = newestFirst.slice(from, end);
  // Before one: those next to it.
  const data = beforeId === null ? span.slice(0, limit) : span.slice(-limit);
  return answered({
    data: data.map(toldMessageBatch),
    has_more: data.length < span.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  });
}

function limitOf(text: string | null): number {
  const limit = text === null ? limitDefault : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit;
  throw malformed('limit', `expected a whole number from 1 to ${limitMax}`);
}

export async function getMessageBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(toldMessageBatch(await foundBatch(gateway, call, true)));
}

export async function cancelMessageBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(toldMessageBatch(await runsOf(gateway).cancel(await foundBatch(gateway, call, true))));
}

export async function deleteMessageBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const batch = await foundBatch(gateway, call, true);
  if (batch.endedAt === null) {
    throw new GatewayError('malformed_request', `Batch ${batch.id} has not ended: cancel it before it is deleted.`);
  }
  await shelfOf(gateway).remove([batch.id, batch.inputFileId]);
  return answered({ id: batch.id, type: 'message_batch_deleted' });
}

/** One line for every request, in their order; what was not sent is told as such. */
export async function getMessageBatchResults(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const batch = await foundBatch(gateway, call, true);
  if (batch.endedAt === null) throw new GatewayError('not_found', `Batch ${batch.id} has no results yet.`);
  const shelf = shelfOf(gateway);
  const children = (parent: string) => shelf.children(batch.owner, parent);
  const file = await foundFile(gateway, call, batch.inputFileId);
  const { lines } = workIn((await readFileBytes({ children }, file)).toString('utf8'), batch.endpoint);
  const byPlace = new Map((await children(batch.id)).map((one) => [one.position, one]));
  const notSent = { type: batch.status === 'cancelled' ? 'canceled' : 'expired' };
  const told = lines.map(({ customId }, index) => {
    const kept = byPlace.get(index);
    return JSON.stringify({ custom_id: customId, result: kept === undefined ? notSent : resultOf(kept) });
  });
  const bytes = Buffer.from(`${told.join('\n')}\n`);
  return { status: 200, body: {}, raw: { contentType: 'application/x-jsonl', bytes } };
}

function resultOf({ kind, body }: KeptObject): JsonObject {
  const { response } = JSON.parse(body) as { response: { body: JsonObject } };
  if (kind === 'batch-result') return { type: 'succeeded', message: response.body };
  return { type: 'errored', error: response.body };
}

function toldMessageBatch(batch: Batch): JsonObject {
  const date = (time: number | null | undefined) => (time == null ? null : new Date(time).toISOString());
  const unanswered = batch.total - batch.completed - batch.failed;
  const isOver = batch.endedAt !== null;
  return {
    id: batch.id,
    type: 'message_batch',
    processing_status: isOver ? 'ended' : batch.status === 'cancelling' ? 'canceling' : 'in_progress',
    request_counts: {
      processing: isOver ? 0 : unanswered,
      succeeded: batch.completed,
      errored: batch.failed,
      canceled: batch.status === 'cancelled' ? unanswered : 0,
      expired: isOver && batch.status !== 'cancelled' ? unanswered : 0,
    },
    created_at: date(batch.createdAt),
    expires_at: date(batch.expiresAt),
    ended_at: date(batch.endedAt),
    archived_at: null,
    cancel_initiated_at: date(batch.cancelAskedAt),
    // Without a host: which one the caller sees is not known behind a balancer, and its client knows.
    results_url: isOver ? `/v1/messages/batches/${batch.id}/results` : null,
  };
}

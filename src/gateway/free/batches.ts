import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type Batch, batchesOf, isMessageBatch, toldBatch } from '../batches/batch.ts';
import { type BatchWork, batchRoute, workIn } from '../batches/lines.ts';
import { prepare } from '../batches/prepare.ts';
import { readFileBytes } from '../batches/result-files.ts';
import type { BatchRuns } from '../batches/runs.ts';
import type { Gateway } from '../gateway.ts';
import { ownerOf } from '../kept/shelf.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';
import { foundFile, shelfOf } from './files.ts';
import { malformed, page } from './listing.ts';

/* `/v1/batches`: run by the gateway itself, so that every model can be asked in one. */

const windowMs = 24 * 3_600_000;
const metadataMax = 16;

export function runsOf({ batches }: Gateway): BatchRuns {
  if (batches !== null) return batches;
  throw new GatewayError('not_found', 'This gateway runs no batches (general_settings.store_responses is false).');
}

export async function createBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const runs = runsOf(gateway);
  const { input_file_id: inputFileId, completion_window: window, endpoint } = call.body;
  if (typeof inputFileId !== 'string') throw malformed('input_file_id', 'required, the id of a file of requests');
  if (window !== '24h') throw malformed('completion_window', 'expected "24h"');
  const route = batchRoute(endpoint);
  const file = await foundFile(gateway, call, inputFileId);
  const shelf = shelfOf(gateway);
  const bytes = await readFileBytes({ children: (parent) => shelf.children(file.owner, parent) }, file);
  const work = workIn(bytes.toString('utf8'), route.path);
  const facts = { idPrefix: 'batch_', inputFileId, metadata: metadataOf(call.body) };
  return answered(toldBatch(await beginBatch(gateway, call, runs, work, facts)));
}

interface BatchFacts extends Pick<Batch, 'inputFileId' | 'metadata' | 'headers'> {
  readonly idPrefix: string;
}

/** Sets the money of all its requests aside, or throws, and sends the first of them. */
export async function beginBatch(
  gateway: Gateway,
  { principal }: FreeCall,
  runs: BatchRuns,
  work: BatchWork,
  { idPrefix, ...facts }: BatchFacts,
): Promise<Batch> {
  const prepared = await prepare(gateway, principal.keyId, work, new Set(), true);
  const now = gateway.clock.now();
  const batch: Batch = {
    id: `${idPrefix}${gateway.chance.id().replaceAll('-', '')}`,
    owner: ownerOf(principal),
    keyId: principal.keyId,
    endpoint: work.path,
    ...facts,
    createdAt: now,
    expiresAt: now + windowMs,
    status: 'in_progress',
    total: work.lines.length,
    completed: 0,
    failed: 0,
    outputFileId: null,
    errorFileId: null,
    endedAt: null,
  };
  await runs.begin(batch, work, prepared);
  return batch;
}

export async function listBatches(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(page((await keptBatches(gateway, call, false)).map(toldBatch), call));
}

/** The caller's batches in one of the two formats, oldest first. */
export async function keptBatches(gateway: Gateway, { principal }: FreeCall, ofMessages: boolean): Promise<Batch[]> {
  const runs = runsOf(gateway);
  const owner = ownerOf(principal);
  const kept = await shelfOf(gateway).children(owner, batchesOf(owner, ofMessages));
  return kept.map(({ id, body }) => runs.running(id) ?? (JSON.parse(body) as Batch));
}

export async function getBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(toldBatch(await foundBatch(gateway, call)));
}

export async function cancelBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(toldBatch(await runsOf(gateway).cancel(await foundBatch(gateway, call))));
}

/** A foreign batch is like one that was never there. */
export async function foundBatch(
  gateway: Gateway,
  { principal, params }: FreeCall,
  ofMessages = false,
): Promise<Batch> {
  const id = params[0] ?? '';
  const found = await shelfOf(gateway).find(ownerOf(principal), id);
  if (found?.kind === 'batch' && isMessageBatch(id) === ofMessages)
    return runsOf(gateway).running(id) ?? (JSON.parse(found.body) as Batch);
  throw new GatewayError('not_found', `No batch found with id '${id.slice(0, 80)}'.`, { param: 'id' });
}

function metadataOf({ metadata }: JsonObject): JsonObject | null {
  if (metadata === undefined || metadata === null) return null;
  const isFine = isJsonObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string');
  if (isFine && Object.keys(metadata).length <= metadataMax) return metadata;
  throw malformed('metadata', `expected an object of at most ${metadataMax} texts`);
}

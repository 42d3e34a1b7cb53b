import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type Batch, toldBatch } from '../batches/batch.ts';
import { batchRoute, readLines } from '../batches/lines.ts';
import { prepare } from '../batches/prepare.ts';
import { readFileBytes } from '../batches/result-files.ts';
import type { BatchRuns } from '../batches/run.ts';
import type { Gateway } from '../gateway.ts';
import { ownerOf } from '../kept/shelf.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';
import { foundFile, shelfOf } from './files.ts';
import { malformed, page } from './listing.ts';

/* `/v1/batches`: run by the gateway itself, so that every model can be asked in one. */

const windowMs = 24 * 3_600_000;
const metadataMax = 16;

function runsOf({ batches }: Gateway): BatchRuns {
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
  const owner = ownerOf(call.principal);
  const shelf = shelfOf(gateway);
  const bytes = await readFileBytes({ children: (parent) => shelf.children(owner, parent) }, file);
  const work = { ...route, lines: readLines(bytes.toString('utf8'), route.path) };
  const { money, bounds } = await prepare(gateway, call.principal.keyId, work, new Set(), true);
  const now = gateway.clock.now();
  const batch: Batch = {
    id: `batch_${gateway.chance.id().replaceAll('-', '')}`,
    owner,
    keyId: call.principal.keyId,
    endpoint: route.path,
    inputFileId,
    metadata: metadataOf(call.body),
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
  await runs.begin(batch, work, money, bounds);
  return answered(toldBatch(batch));
}

export async function listBatches(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const runs = runsOf(gateway);
  const owner = ownerOf(call.principal);
  const kept = await shelfOf(gateway).children(owner, `batches:${owner}`);
  const batches = kept.map(({ id, body }) => runs.running(id) ?? (JSON.parse(body) as Batch));
  return answered(page(batches.map(toldBatch), call));
}

export async function getBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(toldBatch(await foundBatch(gateway, call)));
}

export async function cancelBatch(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(toldBatch(await runsOf(gateway).cancel(await foundBatch(gateway, call))));
}

/** A foreign batch is like one that was never there. */
async function foundBatch(gateway: Gateway, { principal, params }: FreeCall): Promise<Batch> {
  const id = params[0] ?? '';
  const found = await shelfOf(gateway).find(ownerOf(principal), id);
  if (found?.kind === 'batch') return runsOf(gateway).running(id) ?? (JSON.parse(found.body) as Batch);
  throw new GatewayError('not_found', `No batch found with id '${id.slice(0, 80)}'.`, { param: 'id' });
}

function metadataOf({ metadata }: JsonObject): JsonObject | null {
  if (metadata === undefined || metadata === null) return null;
  const isFine = isJsonObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string');
  if (isFine && Object.keys(metadata).length <= metadataMax) return metadata;
  throw malformed('metadata', `expected an object of at most ${metadataMax} texts`);
}

import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { keptMs } from '../batches/batch.ts';
import { type KeptFile, readFileBytes, storeFile, toldFile } from '../batches/result-files.ts';
import type { Gateway } from '../gateway.ts';
import { ownerOf, type Shelf } from '../kept/shelf.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';
import { malformed, page } from './listing.ts';

/* `/v1/files`: kept by the gateway, for batches. A file belongs to the team of the key that brought it, or to the key. */

export function shelfOf({ kept }: Gateway): Shelf {
  if (kept !== null) return kept;
  throw new GatewayError('not_found', 'This gateway keeps no files (general_settings.store_responses is false).');
}

export async function createFile(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const shelf = shelfOf(gateway);
  const { upload } = call;
  const file = upload?.files.find(({ field }) => field === 'file');
  if (upload === undefined || file === undefined) throw malformed('file', 'expected a file');
  const { purpose } = upload.fields;
  if (typeof purpose !== 'string' || purpose === '') throw malformed('purpose', 'required, such as "batch"');
  if (!purposes.includes(purpose)) throw malformed('purpose', `expected one of ${purposes.join(', ')}`);
  const lastsMs = wishedMs(upload.fields);
  const bytes = file.bytes();
  if (bytes.length === 0) throw malformed('file', 'the file is empty');
  const now = gateway.clock.now();
  const kept: KeptFile = {
    id: `file-${gateway.chance.id().replaceAll('-', '')}`,
    owner: ownerOf(call.principal),
    fileName: file.fileName || 'file',
    purpose,
    bytes: bytes.length,
    createdAt: now,
    expiresAt: now + Math.min(keptMs, lastsMs),
    mediaType: file.mediaType,
  };
  await storeFile(shelf, kept, bytes);
  return answered(toldFile(kept));
}

const purposes: readonly string[] = ['batch', 'assistants', 'fine-tune', 'vision', 'user_data', 'evals', 'ocr'];
const wishedSecondsMin = 3_600;

/** How long the caller wants the file to be kept at the most. */
function wishedMs(fields: JsonObject): number {
  const anchor = fields['expires_after[anchor]'];
  const wished = fields['expires_after[seconds]'];
  if (anchor === undefined && wished === undefined) return keptMs;
  if (anchor !== 'created_at') throw malformed('expires_after[anchor]', 'expected "created_at"');
  const seconds = Number(wished);
  if (Number.isSafeInteger(seconds) && seconds >= wishedSecondsMin) return seconds * 1_000;
  throw malformed('expires_after[seconds]', `expected a whole number of at least ${wishedSecondsMin}`);
}

export async function listFiles(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const owner = ownerOf(call.principal);
  const purpose = call.query.get('purpose');
  const files = (await shelfOf(gateway).children(owner, `files:${owner}`)).map(
    ({ body }) => JSON.parse(body) as KeptFile,
  );
  return answered(page(files.filter((file) => purpose === null || file.purpose === purpose).map(toldFile), call));
}

export async function getFile(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(toldFile(await foundFile(gateway, call, call.params[0] ?? '')));
}

export async function getFileContent(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const file = await foundFile(gateway, call, call.params[0] ?? '');
  const shelf = shelfOf(gateway);
  const bytes = await readFileBytes({ children: (parent) => shelf.children(file.owner, parent) }, file);
  return { status: 200, body: {}, raw: { contentType: file.mediaType, bytes } };
}

export async function deleteFile(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { id } = await foundFile(gateway, call, call.params[0] ?? '');
  await shelfOf(gateway).remove([id]);
  return answered({ id, object: 'file', deleted: true });
}

/** A foreign file is like one that was never there. */
export async function foundFile(gateway: Gateway, { principal }: FreeCall, id: string): Promise<KeptFile> {
  const found = await shelfOf(gateway).find(ownerOf(principal), id);
  if (found?.kind === 'file') return JSON.parse(found.body) as KeptFile;
  throw new GatewayError('not_found', `No such File object: ${id.slice(0, 80)}`, { param: 'id' });
}

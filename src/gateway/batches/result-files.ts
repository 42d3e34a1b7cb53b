import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { KeptObject, ObjectStore } from '../../core/ports.ts';
import { type Batch, keptMs } from './batch.ts';

const partBytes = 256 * 1024;
const partsAtOnce = 4;

/** A file as it is kept: its bytes in parts of their own, or the results of a batch, which are there already. */
export interface KeptFile {
  readonly id: string;
  readonly owner: string;
  readonly fileName: string;
  readonly purpose: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly mediaType: string;
  readonly resultsOf?: { readonly batchId: string; readonly kind: string };
}

export function fileObject(file: KeptFile): KeptObject {
  return {
    id: file.id,
    kind: 'file',
    owner: file.owner,
    parent: `files:${file.owner}`,
    position: Math.floor(file.createdAt / 1_000),
    body: JSON.stringify(file),
    expiresAt: file.expiresAt,
  };
}

export function toldFile(file: KeptFile): JsonObject {
  return {
    id: file.id,
    object: 'file',
    bytes: file.bytes,
    created_at: Math.floor(file.createdAt / 1_000),
    expires_at: Math.floor(file.expiresAt / 1_000),
    filename: file.fileName,
    purpose: file.purpose,
    status: 'processed',
    status_details: null,
  };
}

/** Puts a file into the store: its parts first, so that a file that can be found is whole. */
export async function storeFile(
  objects: Pick<ObjectStore, 'put'>,
  file: KeptFile,
  bytes: Buffer,
  listed = true,
): Promise<void> {
  const parts: KeptObject[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) {
    const position = at / partBytes;
    parts.push({
      id: `${file.id}:${position}`,
      kind: 'file-part',
      owner: file.owner,
      parent: file.id,
      position,
      body: JSON.stringify(bytes.toString('base64', at, Math.min(at + partBytes, bytes.length))),
      expiresAt: file.expiresAt,
    });
  }
  for (let at = 0; at < parts.length; at += partsAtOnce) await objects.put(parts.slice(at, at + partsAtOnce));
  const object = fileObject(file);
  await objects.put([listed ? object : { ...object, parent: null }]);
}

export async function readFileBytes(objects: Pick<ObjectStore, 'children'>, file: KeptFile): Promise<Buffer> {
  if (file.resultsOf !== undefined) {
    const { batchId, kind } = file.resultsOf;
    const results = await objects.children(batchId);
    return Buffer.from(results.flatMap((one) => (one.kind === kind ? [one.body, '\n'] : [])).join(''));
  }
  const parts = await objects.children(file.id);
  return Buffer.concat(parts.map(({ body }) => Buffer.from(JSON.parse(body) as string, 'base64')));
}

export async function readFileText(objects: ObjectStore, id: string): Promise<string> {
  const found = await objects.get(id);
  if (found?.kind !== 'file') throw new GatewayError('not_found', `No such file: ${id.slice(0, 80)}.`);
  return (await readFileBytes(objects, JSON.parse(found.body) as KeptFile)).toString('utf8');
}

/** The files that hold a batch's results: good ones and failed ones apart, as far as there are any. */
export function resultFile(batch: Batch, results: readonly KeptObject[], now: number) {
  const files: KeptObject[] = [];
  const fileOf = (kind: string, word: string): string | null => {
    const own = results.filter((one) => one.kind === kind);
    if (own.length === 0) return null;
    const id = `file-${batch.id}-${word}`;
    const bytes = own.reduce((sum, { body }) => sum + Buffer.byteLength(body) + 1, 0);
    const about = { fileName: `${batch.id}_${word}.jsonl`, purpose: 'batch_output', mediaType: 'application/jsonl' };
    const times = { createdAt: now, expiresAt: batch.createdAt + keptMs };
    const resultsOf = { batchId: batch.id, kind };
    files.push(fileObject({ id, owner: batch.owner, bytes, ...about, ...times, resultsOf }));
    return id;
  };
  return { outputFileId: fileOf('batch-result', 'output'), errorFileId: fileOf('batch-error', 'error'), files };
}

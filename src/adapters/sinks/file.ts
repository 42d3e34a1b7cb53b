import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileSetting } from '../../core/sink-settings.ts';
import { joined } from './batch.ts';
import type { Delivery, Destination } from './destination.ts';
import { standardPayload } from './standard-payload.ts';

/** JSON lines in a file of this machine; a full one is put aside as `<name>.1`. */
export function fileDestination({ path, bytesMax }: FileSetting): Destination {
  return {
    encode: (entry) => ({ bytes: Buffer.from(JSON.stringify(standardPayload(entry))), items: 1 }),
    async send(batch): Promise<Delivery> {
      try {
        const size = await stat(path).then(
          (found) => found.size,
          () => null,
        );
        if (size === null) await mkdir(dirname(path), { recursive: true });
        else if (size >= bytesMax) await rename(path, `${path}.1`);
        const file = await open(path, 'a', 0o600);
        try {
          await append(file, joined('', batch, '\n', '\n'));
        } finally {
          await file.close();
        }
        return { kind: 'delivered', refused: 0 };
      } catch (cause) {
        return { kind: 'again', reason: (cause as NodeJS.ErrnoException).code ?? 'cannot be written', afterMs: null };
      }
    },
    batchMax: 1_000,
    batchBytesMax: 4 * 1024 * 1024,
    parallelMax: 1,
    flushMs: 500,
  };
}

/** All of it or, as far as nobody else has written behind it meanwhile, nothing: it comes again as a whole. */
async function append(file: FileHandle, bytes: Buffer): Promise<void> {
  const { size } = await file.stat();
  let written = 0;
  try {
    while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
  } catch (cause) {
    if (written > 0 && (await file.stat()).size === size + written) await file.truncate(size);
    throw cause;
  }
}

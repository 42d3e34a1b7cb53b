import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';

interface Decompressor {
  write(chunk: Uint8Array): boolean;
  end(): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

interface DecompressorEvents {
  onBytes(chunk: Buffer): void;
  onEnd(): void;
  /** The compressed bytes are damaged or cut short. */
  onDamaged(): void;
  /** More compressed bytes can be taken after `write` returned false. */
  onDrain(): void;
}

/**
 * For providers that compress although they were asked not to. Events are flushed as they come, so that a stream stays
 * one. Returns null for an encoding nobody knows.
 */
export function decompressor(encoding: string, events: DecompressorEvents): Decompressor | null {
  const stream = create(encoding.trim().toLowerCase());
  if (stream === null) return null;
  stream.on('data', (chunk: Buffer) => events.onBytes(chunk));
  stream.on('end', () => events.onEnd());
  stream.on('error', () => events.onDamaged());
  stream.on('drain', () => events.onDrain());
  return stream;
}

function create(encoding: string) {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip({ flush: constants.Z_SYNC_FLUSH });
    case 'deflate':
      return createInflate({ flush: constants.Z_SYNC_FLUSH });
    case 'br':
      return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH });
    case 'zstd':
      return createZstdDecompress({ flush: constants.ZSTD_e_flush });
    default:
      return null;
  }
}

export type { Decompressor };

import { constants, createGzip } from 'node:zlib';

/** Compresses piece by piece, each piece flushed, as a provider does that compresses its streams. */
export class PiecewiseGzip {
  readonly #gzip = createGzip();

  async write(bytes: Uint8Array): Promise<Buffer> {
    this.#gzip.write(bytes);
    await new Promise<void>((resolve) => this.#gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    return this.#read();
  }

  async end(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    this.#gzip.on('data', (piece: Buffer) => pieces.push(piece));
    await new Promise<void>((resolve) => {
      this.#gzip.once('end', resolve);
      this.#gzip.end();
    });
    return Buffer.concat(pieces);
  }

  #read(): Buffer {
    const pieces: Buffer[] = [];
    for (let piece = this.#gzip.read() as Buffer | null; piece !== null; piece = this.#gzip.read() as Buffer | null) {
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }
}

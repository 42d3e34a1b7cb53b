/** More than usual batches need; what grew beyond is let go with the next one. */
const keptBytes = 4 * 1024 * 1024;

/**
 * Memory for one batch after another. Threads share it, so that nothing is copied or handed over, and no collection has
 * to find out that it is free again.
 */
export class ReusedBlock {
  #block: SharedArrayBuffer;

  constructor(initialBytes: number) {
    this.#block = new SharedArrayBuffer(initialBytes);
  }

  /** So many bytes, for the new batch; those of the one before are given up. */
  bytes(length: number): Buffer {
    const room = this.#block.byteLength;
    if (length > room || (room > keptBytes && length <= keptBytes)) {
      this.#block = new SharedArrayBuffer(Math.max(length, Math.min(room * 2, keptBytes)));
    }
    return Buffer.from(this.#block, 0, length);
  }
}

const slabBytes = 64 * 1024;
/** Longer ones get memory of their own, so that little is left over at the end of a slab. */
const sharedBytesMax = 8 * 1024;

/**
 * Memory for what has to wait. Buffers as they are made stand between short-lived ones in memory that all of them share,
 * and one that is kept keeps all of it: a few times its own size. Here those that wait stand side by side, and leave together.
 */
export class Slab {
  #free = Buffer.alloc(0);

  keep(bytes: Uint8Array): Buffer {
    const { length } = bytes;
    if (length > sharedBytesMax) return copied(bytes, Buffer.allocUnsafeSlow(length));
    if (length > this.#free.length) this.#free = Buffer.allocUnsafeSlow(slabBytes);
    const kept = copied(bytes, this.#free.subarray(0, length));
    this.#free = this.#free.subarray(length);
    return kept;
  }
}

function copied(bytes: Uint8Array, target: Buffer): Buffer {
  target.set(bytes);
  return target;
}

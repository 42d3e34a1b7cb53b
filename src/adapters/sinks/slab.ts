const slabBytes = 64 * 1024;
/** Longer ones get memory of their own, so that little is left over at the end of a slab. */
const sharedBytesMax = 8 * 1024;
const sparesMax = 16;

/** Memory that several share; used again when the last of them is gone. */
interface Slab {
  readonly bytes: Buffer;
  users: number;
}

export interface Kept {
  readonly bytes: Buffer;
  /** null: its memory is its own. */
  readonly slab: Slab | null;
}

/**
 * Memory for what has to wait. Buffers as they are made stand between short-lived ones in memory that all of them share,
 * and one that is kept keeps all of it until the next full collection. Here those that wait stand side by side, and when
 * all that stand in a slab have left, it is written anew: no collection is needed for it.
 */
export class Slabs {
  #current: Slab = { bytes: Buffer.alloc(0), users: 0 };
  #used = 0;
  readonly #spares: Slab[] = [];

  keep(bytes: Uint8Array): Kept {
    const { length } = bytes;
    if (length > sharedBytesMax) return { bytes: copied(bytes, Buffer.allocUnsafeSlow(length)), slab: null };
    if (this.#used + length > this.#current.bytes.length) this.#next();
    const slab = this.#current;
    const kept = copied(bytes, slab.bytes.subarray(this.#used, this.#used + length));
    this.#used += length;
    slab.users += 1;
    return { bytes: kept, slab };
  }

  /** Nobody will look at it again. */
  release({ slab }: Kept): void {
    if (slab === null) return;
    slab.users -= 1;
    if (slab.users === 0 && slab !== this.#current && this.#spares.length < sparesMax) this.#spares.push(slab);
  }

  #next(): void {
    // One that all have left while it was filled is filled again.
    if (this.#current.users > 0 || this.#current.bytes.length === 0) {
      this.#current = this.#spares.pop() ?? { bytes: Buffer.allocUnsafeSlow(slabBytes), users: 0 };
    }
    this.#used = 0;
  }
}

function copied(bytes: Uint8Array, target: Buffer): Buffer {
  target.set(bytes);
  return target;
}

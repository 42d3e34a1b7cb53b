import type { JournalFolder } from '../../src/adapters/journal-folder.ts';

/** A disk that outlives the simulated processes writing on it. */
export class MemoryDisk {
  readonly journals = new Map<string, Map<number, Segment>>();
  /** Which process has locked which journal. */
  readonly locks = new Map<string, object>();
  full = false;
}

interface Segment {
  bytes: Buffer;
  length: number;
}

/** Thrown where a simulated process dies in the middle of a write. */
export class Died extends Error {}

/** The journal folder as one process sees it. */
export class MemoryJournalFolder implements JournalFolder {
  readonly #disk: MemoryDisk;
  /** Asked at every write: how many of its bytes still reach the disk before the process dies; null = it lives on. */
  readonly #fate: (length: number) => number | null;
  dead = false;

  constructor(disk: MemoryDisk, fate: (length: number) => number | null = () => null) {
    this.#disk = disk;
    this.#fate = fate;
  }

  /** The process is gone, and with it its locks. */
  die(): void {
    this.dead = true;
    for (const [owner, holder] of this.#disk.locks) if (holder === this) this.#disk.locks.delete(owner);
  }

  create(owner: string): void {
    if (!this.claim(owner)) throw new Error('in use');
    this.#disk.journals.set(owner, new Map());
  }

  owners(): readonly string[] {
    return [...this.#disk.journals.keys()];
  }

  claim(owner: string): boolean {
    this.#alive();
    if (this.#disk.locks.has(owner)) return false;
    this.#disk.locks.set(owner, this);
    return true;
  }

  release(owner: string): void {
    if (this.#disk.locks.get(owner) === this) this.#disk.locks.delete(owner);
  }

  isWhole(): boolean {
    return true;
  }

  segments(owner: string): readonly number[] {
    return [...this.#disk.journals.get(owner)!.keys()].sort((one, other) => one - other);
  }

  write(owner: string, segment: number, offset: number, bytes: Uint8Array, length: number): void {
    this.#alive();
    const segments = this.#disk.journals.get(owner)!;
    const survivors = this.#fate(length);
    const written = survivors ?? (this.#disk.full ? Math.floor(length / 2) : length);
    let kept = segments.get(segment);
    if (kept === undefined) {
      kept = { bytes: Buffer.allocUnsafe(4_096), length: 0 };
      segments.set(segment, kept);
    }
    kept.length = Math.max(kept.length, offset + written);
    if (kept.length > kept.bytes.length) {
      const larger = Buffer.allocUnsafe(kept.length * 2);
      kept.bytes.copy(larger);
      kept.bytes = larger;
    }
    kept.bytes.set(bytes.subarray(0, written), offset);
    if (survivors !== null) {
      this.die();
      throw new Died('killed while writing');
    }
    if (written < length) throw new Error('no space left on device');
  }

  read(owner: string, segment: number, offset: number, into: Uint8Array): number {
    const kept = this.#disk.journals.get(owner)!.get(segment)!;
    const found = kept.bytes.subarray(offset, Math.min(kept.length, offset + into.length));
    into.set(found);
    return found.length;
  }

  /** Whether a text stands anywhere in a journal. */
  holds(owner: string, text: string): boolean {
    for (const { bytes, length } of this.#disk.journals.get(owner)?.values() ?? []) {
      if (bytes.subarray(0, length).includes(text)) return true;
    }
    return false;
  }

  removeSegment(owner: string, segment: number): void {
    this.#alive();
    this.#disk.journals.get(owner)!.delete(segment);
  }

  remove(owner: string): void {
    this.#alive();
    this.#disk.journals.delete(owner);
    this.release(owner);
  }

  #alive(): void {
    if (this.dead) throw new Died('dead processes do not write');
  }
}

import type { JournalCheckpoint } from '../core/books.ts';
import type { JournalFolder } from './journal-folder.ts';

/** A place in a journal: everything before it, in this segment and the earlier ones. */
export type JournalPosition = JournalCheckpoint;

export interface JournalSizes {
  /** A segment that has grown beyond this is followed by a new one. */
  readonly segmentBytes: number;
  /** When lines that could not be written come to more than this, the journal is full. */
  readonly unwrittenBytesMax: number;
}

export const journalSizes: JournalSizes = { segmentBytes: 16 * 1024 * 1024, unwrittenBytesMax: 64 * 1024 * 1024 };

const initialBufferBytes = 256 * 1024;

/**
 * Append-only lines in numbered segments. Lines gather in one buffer and go to the file in one write; a write that
 * fails is repeated at the same place, so that no line is lost or torn while the program lives.
 */
export class Journal {
  readonly owner: string;
  readonly #folder: JournalFolder;
  readonly #sizes: JournalSizes;
  #buffer = Buffer.allocUnsafe(initialBufferBytes);
  #buffered = 0;
  #segment = 1;
  /** Bytes of the current segment that are safely in the file. */
  #written = 0;

  constructor(folder: JournalFolder, owner: string, sizes: JournalSizes = journalSizes) {
    this.#folder = folder;
    this.owner = owner;
    this.#sizes = sizes;
    folder.create(owner);
  }

  get segment(): number {
    return this.#segment;
  }

  /** Too much waits to be written: whoever can refuse new lines must do so. */
  get full(): boolean {
    return this.#buffered > this.#sizes.unwrittenBytesMax;
  }

  /** Where the next line will begin. */
  get end(): JournalPosition {
    return { segment: this.#segment, offset: this.#written + this.#buffered };
  }

  /**
   * Takes a copy of one line (without its line end) and returns the offset of its end in the current segment. Never
   * fails: what cannot be written yet stays in memory.
   */
  append(line: Uint8Array): number {
    const needed = line.length + 1;
    if (this.#buffered + needed > this.#buffer.length) this.#makeRoom(needed);
    this.#buffer.set(line, this.#buffered);
    this.#buffered += needed;
    this.#buffer[this.#buffered - 1] = 0x0a;
    return this.#written + this.#buffered;
  }

  /** Puts everything appended so far into the file; throws when the disk refuses, and keeps it for the next call. */
  write(): void {
    if (this.#buffered === 0) return;
    this.#folder.write(this.owner, this.#segment, this.#written, this.#buffer, this.#buffered);
    this.#written += this.#buffered;
    this.#buffered = 0;
    if (this.#buffer.length > initialBufferBytes * 4) this.#buffer = Buffer.allocUnsafe(initialBufferBytes);
    if (this.#written >= this.#sizes.segmentBytes) {
      this.#segment += 1;
      this.#written = 0;
    }
  }

  /** Fills `into` from a place of a segment on, whether that is in the file yet or not; it must all be there. */
  copy(segment: number, from: number, into: Buffer): void {
    const to = from + into.length;
    const filed = segment === this.#segment ? Math.max(from, Math.min(to, this.#written)) : to;
    const inFile = into.subarray(0, filed - from);
    if (inFile.length > 0 && this.#folder.read(this.owner, segment, from, inFile) < inFile.length) {
      throw new Error('the journal lacks lines that were written to it');
    }
    if (filed < to) this.#buffer.copy(into, filed - from, filed - this.#written, to - this.#written);
  }

  /** Removes the segments before this one. */
  removeBefore(segment: number): void {
    for (const old of this.#folder.segments(this.owner)) {
      if (old < segment) this.#folder.removeSegment(this.owner, old);
    }
  }

  /** Ends the journal: removes it when nothing in it is needed any more, else leaves it for the next start. */
  close(remove: boolean): void {
    if (remove) this.#folder.remove(this.owner);
    else this.#folder.release(this.owner);
  }

  #makeRoom(bytes: number): void {
    if (this.#buffered > 0) {
      try {
        this.write();
      } catch {
        // Whoever waits for the write sees the failure.
      }
    }
    const needed = this.#buffered + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#buffered);
    this.#buffer = larger;
  }
}

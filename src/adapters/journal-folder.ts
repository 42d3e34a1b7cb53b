import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Where journals live: one per owner (a run of the program), each a row of numbered append-only segments. Everything is
 * synchronous: a written line survives the death of the program as soon as the call returns.
 */
export interface JournalFolder {
  /** Begins the journal of a new owner and locks it for as long as this program lives. */
  create(owner: string): void;
  /** Owners that left a journal here, in no order. */
  owners(): readonly string[];
  /** Locks the journal of an owner that is dead; false when it lives or somebody else replays it. */
  claim(owner: string): boolean;
  /** Gives up the lock and keeps the journal. */
  release(owner: string): void;
  /**
   * False when the machine went down since the journal was begun: what was written last may never have reached the disk.
   */
  isWhole(owner: string): boolean;
  /** Ascending. */
  segments(owner: string): readonly number[];
  /** Throws when not every byte could be written; writing again at the same offset repairs it. */
  write(owner: string, segment: number, offset: number, bytes: Uint8Array, length: number): void;
  /** Fills `into` from a place on and tells how many bytes there were: fewer at the end of the segment. */
  read(owner: string, segment: number, offset: number, into: Uint8Array): number;
  removeSegment(owner: string, segment: number): void;
  /** Removes the journal and gives up its lock. */
  remove(owner: string): void;
}

/** Not O_APPEND: a write that was cut off is repeated at its own offset. What was written is read back to be stored. */
const writeFlags = constants.O_CREAT | constants.O_RDWR;

const machineRunFile = 'machine-run';

function runOfThisMachine(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

/** Journals in a folder on disk: `<owner>/<segment>.jsonl` beside `<owner>.lock`. */
export class DiskJournalFolder implements JournalFolder {
  readonly #folder: string;
  /** Changes each time that the machine starts; null where the system has no such name. */
  readonly #machineRun: string | null;
  readonly #locks = new Map<string, DatabaseSync>();
  #open: { readonly owner: string; readonly segment: number; readonly descriptor: number } | null = null;

  constructor(folder: string, machineRun: string | null = runOfThisMachine()) {
    this.#folder = folder;
    this.#machineRun = machineRun;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  create(owner: string): void {
    // The lock comes first, so that nobody who finds the folder can take it for a dead one's.
    if (!this.claim(owner)) throw new Error(`journal ${owner} is in use`);
    const own = join(this.#folder, owner);
    mkdirSync(own, { mode: 0o700 });
    if (this.#machineRun === null) return;
    // All three are on the disk before anything is sent on the strength of this journal.
    writeFileSync(join(own, machineRunFile), this.#machineRun, { mode: 0o600, flush: true });
    for (const folder of [own, this.#folder]) {
      const descriptor = openSync(folder, 'r');
      fsyncSync(descriptor);
      closeSync(descriptor);
    }
  }

  isWhole(owner: string): boolean {
    let begunIn: string;
    try {
      begunIn = readFileSync(join(this.#folder, owner, machineRunFile), 'utf8');
    } catch {
      // Begun by a version, or on a system, that does not tell.
      return true;
    }
    return begunIn === this.#machineRun;
  }

  owners(): readonly string[] {
    return readdirSync(this.#folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  }

  claim(owner: string): boolean {
    if (this.#locks.has(owner)) return false;
    // SQLite's exclusive lock is the operating system's: it ends with the program however that dies, it does not
    // mistake a reused process id for the old one, and it works between containers that share the folder.
    const lock = new DatabaseSync(join(this.#folder, `${owner}.lock`), { timeout: 0 });
    try {
      lock.exec('begin exclusive');
    } catch {
      lock.close();
      return false;
    }
    this.#locks.set(owner, lock);
    return true;
  }

  release(owner: string): void {
    this.#closeSegment(owner);
    this.#locks.get(owner)?.close();
    this.#locks.delete(owner);
  }

  segments(owner: string): readonly number[] {
    return readdirSync(join(this.#folder, owner))
      .filter((name) => /^\d+\.jsonl$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((one, other) => one - other);
  }

  write(owner: string, segment: number, offset: number, bytes: Uint8Array, length: number): void {
    if (this.#open === null || this.#open.segment !== segment || this.#open.owner !== owner) {
      this.#closeSegment();
      this.#open = { owner, segment, descriptor: openSync(this.#path(owner, segment), writeFlags, 0o600) };
    }
    let written = 0;
    while (written < length) {
      written += writeSync(this.#open.descriptor, bytes, written, length - written, offset + written);
    }
  }

  read(owner: string, segment: number, offset: number, into: Uint8Array): number {
    if (this.#open?.owner === owner && this.#open.segment === segment) {
      return readAt(this.#open.descriptor, offset, into);
    }
    const descriptor = openSync(this.#path(owner, segment), 'r');
    try {
      return readAt(descriptor, offset, into);
    } finally {
      closeSync(descriptor);
    }
  }

  removeSegment(owner: string, segment: number): void {
    rmSync(this.#path(owner, segment), { force: true });
  }

  remove(owner: string): void {
    this.#closeSegment(owner);
    rmSync(join(this.#folder, owner), { recursive: true, force: true });
    this.release(owner);
    rmSync(join(this.#folder, `${owner}.lock`), { force: true });
  }

  #closeSegment(owner?: string): void {
    if (this.#open === null || (owner !== undefined && this.#open.owner !== owner)) return;
    closeSync(this.#open.descriptor);
    this.#open = null;
  }

  #path(owner: string, segment: number): string {
    return join(this.#folder, owner, `${segment}.jsonl`);
  }
}

function readAt(descriptor: number, offset: number, into: Uint8Array): number {
  let count = 0;
  while (count < into.length) {
    const more = readSync(descriptor, into, count, into.length - count, offset + count);
    if (more === 0) break;
    count += more;
  }
  return count;
}

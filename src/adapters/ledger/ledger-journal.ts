import { shareOf } from '../../core/books.ts';
import { JsonWriter } from '../../core/json-writer.ts';
import type { DispatchNote, Log } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { Roster } from '../../core/roster.ts';
import type { Journal, JournalPosition } from '../journal.ts';
import type { JournalFolder } from '../journal-folder.ts';
import { journalLines } from '../journal-reader.ts';
import type { Account } from './account.ts';
import type { Accounts } from './accounts.ts';
import type { Hold } from './hold.ts';
import type { Posting } from './journal-batch.ts';
import {
  accountsBytes,
  isRecordLine,
  parseLine,
  recordEndOf,
  recordStartOf,
  startsRecordLine,
  writeDispatchLine,
  writeRecordLine,
} from './journal-line.ts';
import type { ReusedBlock } from './reused-block.ts';

/** Old notes are written again when they keep more than this many finished segments from being removed. */
const segmentsKept = 3;
const lineEnd = 0x0a;

/** The journal of this process's requests: which notes are open, and which segments are still needed. */
export class LedgerJournal {
  readonly #journal: Journal;
  readonly #folder: JournalFolder;
  readonly #accounts: Accounts;
  readonly #log: Log;
  /** Dispatched and not settled. */
  readonly #open = new Roster<Hold>();
  readonly #writer = new JsonWriter();
  #oldest = 1;
  #broken = false;

  constructor(journal: Journal, folder: JournalFolder, accounts: Accounts, log: Log) {
    this.#journal = journal;
    this.#folder = folder;
    this.#accounts = accounts;
    this.#log = log;
  }

  /** Dispatched requests that are not settled. */
  get open(): number {
    return this.#open.size;
  }

  /** Too much waits for a disk that refuses. */
  get full(): boolean {
    return this.#journal.full;
  }

  /** True while the disk refuses. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Appends the note; the caller writes. */
  dispatched(hold: Hold, note: DispatchNote): void {
    const accounts = hold.parts.length === 0 ? hold.chain.written : accountsBytes(hold.bearers);
    this.#writer.reset();
    writeDispatchLine(this.#writer, note, hold.bound, accounts, hold.chain.keptNote);
    this.#journal.append(this.#writer.written);
    hold.note = note;
    hold.segment = this.#journal.segment;
    this.#open.add(hold);
  }

  /** Appends the record of a settled request, or of one without hold. */
  recorded(record: RequestRecord, accounts: readonly Account[], hold: Hold | null): Posting {
    const written = accounts === hold?.chain.accounts ? hold.chain.written : accountsBytes(accounts);
    this.#writer.reset();
    writeRecordLine(this.#writer, record, written);
    const offset = this.#journal.append(this.#writer.written);
    if (hold !== null) this.#open.delete(hold);
    return postingOf(record, accounts, { segment: this.#journal.segment, offset });
  }

  /** Puts all lines into the file; throws when the disk refuses. Nothing is lost: the next call tries again. */
  write(): void {
    try {
      this.#journal.write();
      if (this.#broken) this.#log.warn('The journal can be written again.');
      this.#broken = false;
    } catch (cause) {
      if (!this.#broken) {
        this.#log.error('The journal cannot be written: requests under a hard budget are refused until it can.', {
          reason: cause instanceof Error ? cause.message : String(cause),
        });
      }
      this.#broken = true;
      throw cause;
    }
  }

  /** As `write`, for times when nobody waits for it. */
  tryWrite(): boolean {
    try {
      this.write();
      return true;
    } catch {
      return false;
    }
  }

  /** Reads settled requests back from the file; at least one is there. */
  readPostings(from: JournalPosition, max: number): Posting[] {
    this.write();
    const postings: Posting[] = [];
    for (const { text, end } of journalLines(this.#folder, this.#journal.owner, from)) {
      if (!isRecordLine(text)) continue;
      const line = parseLine(text);
      if (line?.kind !== 'recorded') continue;
      const accounts = line.accounts.map(({ key, windowStart }) => this.#accounts.find(key, windowStart)!);
      postings.push(postingOf(line.record, accounts, end));
      if (postings.length >= max) break;
    }
    if (postings.length === 0) throw new Error('the journal lacks records that were written to it');
    return postings;
  }

  /**
   * Puts the lines between two places of one segment into `into` and where their records begin and end, in order, into
   * `places`. Returns the bytes.
   */
  readRecords(segment: number, from: number, to: number, into: ReusedBlock, places: number[]): Buffer {
    const bytes = into.bytes(to - from);
    this.#journal.copy(segment, from, bytes);
    let start = 0;
    for (let end = bytes.indexOf(lineEnd); end >= 0; end = bytes.indexOf(lineEnd, start)) {
      if (startsRecordLine(bytes, start)) places.push(recordStartOf(start), recordEndOf(bytes, end));
      start = end + 1;
    }
    return bytes;
  }

  /**
   * The store has everything settled before this segment: removes what no open request needs. A settled request needs
   * its note no longer once its record is in the file.
   */
  forgetBefore(segment: number): void {
    if (segment <= this.#oldest) return;
    for (const hold of this.#open) {
      if (hold.segment >= segment) continue;
      if (this.#journal.segment - hold.segment <= segmentsKept) segment = hold.segment;
      else this.dispatched(hold, hold.note!);
    }
    if (segment <= this.#oldest || !this.tryWrite()) return;
    this.#journal.removeBefore(segment);
    this.#oldest = segment;
  }

  /** Keeps the journal for the next start when something in it is still needed. */
  close(everythingApplied: boolean): void {
    const written = this.tryWrite();
    this.#journal.close(everythingApplied && written && this.#open.size === 0);
  }
}

function postingOf(record: RequestRecord, accounts: readonly Account[], end: JournalPosition): Posting {
  const { cost } = record;
  let shares: number[] | null = null;
  for (let at = 0; at < accounts.length; at++) {
    const share = shareOf(accounts[at]!, record);
    if (share === cost && shares === null) continue;
    shares ??= accounts.slice(0, at).map(() => cost);
    shares.push(share);
  }
  return { accounts, cost, shares, end };
}

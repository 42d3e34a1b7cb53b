import type { AccountSpec } from '../../core/books.ts';
import type { Scope } from '../../core/identity.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { DispatchNote } from '../../core/ports.ts';
import { recordOfWritten, type WrittenRecord } from '../../core/record-reading.ts';
import { recordText } from '../../core/record-text.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { Account } from './account.ts';

/*
 * The two lines of a request, as JSON: `{"d":note,"b":bound,"a":[[key,windowStart,cap],…]}` before it is sent and
 * `{"r":record,"a":[…]}` when it is settled. Every line stands by itself.
 */

/** A line in pieces, for they are long and joining them would copy them. `accounts` as `accountsText` writes them. */
export type LinePieces = readonly string[];

export function dispatchLine(note: DispatchNote, bound: Nanodollars, accounts: string, like: KeptNote): LinePieces {
  const head = `{"d":{"id":${JSON.stringify(note.id)},"startedAt":${note.startedAt},`;
  return [head, like.restOf(note), `,"b":${bound},"a":${accounts}}`];
}

/** Notes of one key for one deployment say the same but for id and start: the text of the last one is kept. */
export class KeptNote {
  #note: DispatchNote | null = null;
  #rest = '';

  /** What stands behind id and start. */
  restOf(note: DispatchNote): string {
    if (this.#note === null || !isAlike(this.#note, note)) {
      const { id: _id, startedAt: _startedAt, ...rest } = note;
      this.#note = note;
      this.#rest = JSON.stringify(rest).slice(1);
    }
    return this.#rest;
  }
}

function isAlike(one: DispatchNote, other: DispatchNote): boolean {
  return (
    other.attempts === undefined &&
    one.attempts === undefined &&
    one.deploymentId === other.deploymentId &&
    one.modelUsed === other.modelUsed &&
    one.modelAsked === other.modelAsked &&
    one.modelGroup === other.modelGroup &&
    one.provider === other.provider &&
    one.operation === other.operation &&
    one.dialect === other.dialect &&
    one.path === other.path &&
    one.stream === other.stream &&
    one.keyId === other.keyId &&
    one.keyAlias === other.keyAlias &&
    one.userId === other.userId &&
    one.teamId === other.teamId &&
    one.organizationId === other.organizationId &&
    one.endUserId === other.endUserId &&
    one.tags === other.tags
  );
}

export function recordLine(record: RequestRecord, accounts: string): LinePieces {
  const [beginning, rest] = recordText(record);
  return ['{"r":', beginning, rest, `,"a":${accounts}}`];
}

export function accountsText(accounts: readonly Account[]): string {
  return JSON.stringify(accounts.map(({ key, windowStart, cap }) => [key, windowStart, cap]));
}

export type JournalLine =
  | {
      readonly kind: 'dispatched';
      readonly note: DispatchNote;
      readonly bound: Nanodollars;
      readonly accounts: readonly AccountSpec[];
    }
  | { readonly kind: 'recorded'; readonly record: RequestRecord; readonly accounts: readonly AccountSpec[] };

/** Tells a line that settles without parsing it. */
export function isRecordLine(text: string): boolean {
  return text.startsWith('{"r":');
}

const letterOfRecords = 0x72;

/** The same of a line among bytes. */
export function startsRecordLine(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 2] === letterOfRecords;
}

const recordStart = '{"r":'.length;
const recordEnd = Buffer.from(',"a":[');

/** Where the record of a line begins. */
export function recordStartOf(lineStart: number): number {
  return lineStart + recordStart;
}

/** Where the record of a line ends. */
export function recordEndOf(bytes: Buffer, lineEnd: number): number {
  return bytes.lastIndexOf(recordEnd, lineEnd);
}

/** Null for a line that is not whole. */
export function parseLine(text: string): JournalLine | null {
  let line: { d?: DispatchNote; b?: number; r?: WrittenRecord; a?: [string, number, number | null][] };
  try {
    line = JSON.parse(text) as typeof line;
  } catch {
    return null;
  }
  if (typeof line !== 'object' || line === null || !Array.isArray(line.a)) return null;
  const accounts = line.a.map(([key, windowStart, cap]) => specOf(key, windowStart, cap));
  if (line.r !== undefined) return { kind: 'recorded', record: recordOfWritten(line.r), accounts };
  if (line.d !== undefined && line.b !== undefined)
    return { kind: 'dispatched', note: line.d, bound: line.b, accounts };
  return null;
}

/** The inverse of core's accountKey. */
function specOf(key: string, windowStart: number, cap: Nanodollars | null): AccountSpec {
  const [scope, id, model, duration] = key
    .split('|')
    .map((part) => part.replaceAll('%7C', '|').replaceAll('%25', '%')) as [string, string, string, string];
  return { key, windowStart, scope: scope as Scope, id, model, duration, cap };
}

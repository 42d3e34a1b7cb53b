import type { AccountSpec } from '../../core/books.ts';
import type { Scope } from '../../core/identity.ts';
import { type JsonWriter, jsonBytes } from '../../core/json-writer.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { DispatchNote } from '../../core/ports.ts';
import { recordOfWritten, type WrittenRecord } from '../../core/record-reading.ts';
import { writeRecord } from '../../core/record-writing.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { Account } from './account.ts';

/*
 * The two lines of a request, as JSON: `{"d":note,"b":bound,"a":[[key,windowStart,cap],…]}` before it is sent and
 * `{"r":record,"a":[…]}` when it is settled. Every line stands by itself.
 */

const parts = {
  noteStart: jsonBytes('{"d":{"id":'),
  startedAt: jsonBytes(',"startedAt":'),
  comma: jsonBytes(','),
  bound: jsonBytes(',"b":'),
  recordStart: jsonBytes('{"r":'),
  accounts: jsonBytes(',"a":'),
  end: jsonBytes('}'),
};

/** `accounts` as `accountsBytes` writes them. */
export function writeDispatchLine(
  writer: JsonWriter,
  note: DispatchNote,
  bound: Nanodollars,
  accounts: Buffer,
  like: KeptNote,
): void {
  writer.raw(parts.noteStart);
  writer.text(note.id);
  writer.raw(parts.startedAt);
  writer.figure(note.startedAt);
  writer.raw(parts.comma);
  writer.raw(like.restOf(note));
  writer.raw(parts.bound);
  writer.figure(bound);
  writer.raw(parts.accounts);
  writer.raw(accounts);
  writer.raw(parts.end);
}

/** Notes of one key for one deployment say the same but for id and start: what was written of the last one is kept. */
export class KeptNote {
  #note: DispatchNote | null = null;
  #rest = jsonBytes('');

  /** What stands behind id and start. */
  restOf(note: DispatchNote): Buffer {
    if (this.#note === null || !isAlike(this.#note, note)) {
      const { id: _id, startedAt: _startedAt, ...rest } = note;
      this.#note = note;
      this.#rest = jsonBytes(JSON.stringify(rest).slice(1));
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

export function writeRecordLine(writer: JsonWriter, record: RequestRecord, accounts: Buffer): void {
  writer.raw(parts.recordStart);
  writeRecord(writer, record);
  writer.raw(parts.accounts);
  writer.raw(accounts);
  writer.raw(parts.end);
}

export function accountsBytes(accounts: readonly Account[]): Buffer {
  return jsonBytes(JSON.stringify(accounts.map(({ key, windowStart, cap }) => [key, windowStart, cap])));
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

const recordEnd = Buffer.from(',"a":[');

/** Where the record of a line begins. */
export function recordStartOf(lineStart: number): number {
  return lineStart + parts.recordStart.length;
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

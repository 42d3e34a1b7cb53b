import { type JsonWriter, jsonBytes } from './json-writer.ts';
import { kindOf, type RecordKind } from './record-kind.ts';
import type { Attempt, RequestRecord } from './request-record.ts';
import { isNone, shortUsage, type Usage, usageClasses } from './usage.ts';

/*
 * A record as JSON, member by member. JSON.stringify takes many times as long, for it looks at every member anew; here
 * what all records of a kind say was written before, and the rest are mostly whole numbers.
 */

/**
 * The members of the kind, then the others. Of the others come first those that are columns of a row, then, from `usage`
 * on, what is kept of it as one text. What most records lack is left out.
 */
export function writeRecord(writer: JsonWriter, record: RequestRecord): void {
  const kind = kindOf(record);
  let known = knownKinds.get(kind);
  if (known === undefined) {
    known = { beginning: jsonBytes(JSON.stringify(kind).slice(0, -1)), attempt: null, attemptBeginning: noBytes };
    knownKinds.set(kind, known);
  }
  writer.raw(known.beginning);
  writer.raw(names.id);
  writer.text(record.id);
  writer.raw(names.endUserId);
  writer.text(record.endUserId);
  writer.raw(names.sessionId);
  writer.text(record.sessionId);
  writer.raw(names.cost);
  writer.figure(record.cost);
  writer.raw(names.startedAt);
  writer.figure(record.startedAt);
  writer.raw(names.endedAt);
  writer.figure(record.endedAt);
  writer.raw(names.usage);
  writeUsage(writer, record.usage);
  writer.raw(names.bound);
  writer.figure(record.bound);
  writer.raw(names.overheadMs);
  writer.figure(record.overheadMs);
  writer.raw(names.attempts);
  writeAttempts(writer, record.attempts, known);
  writer.raw(names.metadata);
  writeMetadata(writer, record.metadata);
  writeSeldom(writer, record);
  writer.raw(end);
}

function writeMetadata(writer: JsonWriter, metadata: RequestRecord['metadata']): void {
  for (const _ in metadata) {
    writer.json(JSON.stringify(metadata));
    return;
  }
  writer.raw(nothing);
}

function writeSeldom(writer: JsonWriter, record: RequestRecord): void {
  const { tags, firstTokenAt, admittedMs } = record;
  if (admittedMs !== undefined) {
    writer.raw(names.admittedMs);
    writer.figure(admittedMs);
  }
  if (firstTokenAt !== null) {
    writer.raw(names.firstTokenAt);
    writer.figure(firstTokenAt);
  }
  if (tags.length > 0) {
    writer.raw(names.tags);
    writer.json(JSON.stringify(tags));
  }
  for (const name of seldomTexts) {
    const value = record[name];
    if (value === null) continue;
    writer.raw(names[name]);
    writer.text(value);
  }
}

const seldomTexts = [
  'clientAddress',
  'errorMessage',
  'traceId',
  'cacheKey',
  'requestText',
  'responseText',
] as const satisfies readonly (keyof RequestRecord)[];

const name = (of: keyof RequestRecord) => jsonBytes(`,"${of}":`);
const names = {
  id: name('id'),
  endUserId: name('endUserId'),
  sessionId: name('sessionId'),
  cost: name('cost'),
  startedAt: name('startedAt'),
  endedAt: name('endedAt'),
  usage: name('usage'),
  bound: name('bound'),
  overheadMs: name('overheadMs'),
  attempts: name('attempts'),
  metadata: name('metadata'),
  admittedMs: name('admittedMs'),
  firstTokenAt: name('firstTokenAt'),
  tags: name('tags'),
  clientAddress: name('clientAddress'),
  errorMessage: name('errorMessage'),
  traceId: name('traceId'),
  cacheKey: name('cacheKey'),
  requestText: name('requestText'),
  responseText: name('responseText'),
};
const end = jsonBytes('}');
const noBytes = jsonBytes('');
const nothing = jsonBytes('{}');

interface KnownKind {
  readonly beginning: Buffer;
  /** The last attempt that was the only one of its request, and what others like it begin with. */
  attempt: Attempt | null;
  attemptBeginning: Buffer;
}

const knownKinds = new WeakMap<RecordKind, KnownKind>();

const usageBeginning = jsonBytes('{"estimated":false');
const usageNames = usageClasses.map((of) => ({ of, bytes: jsonBytes(`,"${of}":`) }));

/** Without the classes that there is nothing of: nearly all of them. */
function writeUsage(writer: JsonWriter, usage: Usage): void {
  if (
    usage.estimated ||
    usage.units !== undefined ||
    usage.providerCost !== undefined ||
    usage.serviceTier !== undefined
  ) {
    writer.json(JSON.stringify(shortUsage(usage)));
    return;
  }
  writer.raw(usageBeginning);
  for (let index = 0; index < usageNames.length; index++) {
    const { of, bytes } = usageNames[index]!;
    const count = usage[of];
    if (isNone(count)) continue;
    writer.raw(bytes);
    writer.figure(count);
  }
  writer.raw(end);
}

const attemptNames = {
  startedAt: jsonBytes(',"startedAt":'),
  durationMs: jsonBytes(',"durationMs":'),
  charged: jsonBytes(',"charged":'),
  end: jsonBytes('}]'),
};

function writeAttempts(writer: JsonWriter, attempts: readonly Attempt[], known: KnownKind): void {
  if (attempts.length !== 1) {
    writer.json(JSON.stringify(attempts));
    return;
  }
  const attempt = attempts[0]!;
  if (known.attempt === null || !isAlike(known.attempt, attempt)) {
    const { startedAt: _startedAt, durationMs: _durationMs, charged: _charged, ...alike } = attempt;
    known.attempt = attempt;
    known.attemptBeginning = jsonBytes(`[${JSON.stringify(alike).slice(0, -1)}`);
  }
  writer.raw(known.attemptBeginning);
  writer.raw(attemptNames.startedAt);
  writer.figure(attempt.startedAt);
  writer.raw(attemptNames.durationMs);
  writer.figure(attempt.durationMs);
  writer.raw(attemptNames.charged);
  writer.figure(attempt.charged);
  writer.raw(attemptNames.end);
}

function isAlike(one: Attempt, other: Attempt): boolean {
  return (
    one.deploymentId === other.deploymentId &&
    one.group === other.group &&
    one.provider === other.provider &&
    one.model === other.model &&
    one.status === other.status &&
    one.result === other.result &&
    one.ambiguous === other.ambiguous
  );
}

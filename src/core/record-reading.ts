import type { RecordKind } from './record-kind.ts';
import type { RequestRecord } from './request-record.ts';
import { fullUsage, type ShortUsage, shortUsage } from './usage.ts';

/* The way back from what `writeRecord` wrote. */

type Absent =
  | 'errorMessage'
  | 'tags'
  | 'traceId'
  | 'clientAddress'
  | 'cacheKey'
  | 'firstTokenAt'
  | 'requestText'
  | 'responseText';
type Own = Omit<RequestRecord, keyof RecordKind>;
/** What a record says beside its kind, as it is written: without what it lacks. */
type WrittenOwn = Omit<Own, Absent | 'usage'> & Partial<Pick<Own, Absent>> & { readonly usage: ShortUsage };

/** A record as `writeRecord` writes it. */
export type WrittenRecord = RecordKind & WrittenOwn;

export function recordOfWritten(written: WrittenRecord): RequestRecord {
  return recordOf(written, written);
}

export interface ReadRecord {
  readonly record: RequestRecord;
  /** What of it has no column of its own, as JSON: the same as that of `detailOf`. */
  readonly detail: string;
}

interface ReadKind {
  readonly bytes: Buffer;
  readonly kind: RecordKind;
  /** `{` and its members in a detail, each with a comma behind it. */
  readonly detail: string;
}

const ownBeginning = Buffer.from(',"id":');
const detailBeginning = '"usage":';
const kindsMax = 1_000;
const kinds = new Map<string, ReadKind>();
let last: ReadKind | null = null;

/** The record between two places, its text in parts: those of a kind are read once. */
export function readRecord(bytes: Buffer, start: number, end: number): ReadRecord {
  // Quotes within texts are escaped, so this stands nowhere before.
  const kindEnd = bytes.indexOf(ownBeginning, start);
  const { kind, detail } = kindAt(bytes, start, kindEnd);
  const own = bytes.toString('utf8', kindEnd + 1, end);
  return {
    record: recordOf(kind, JSON.parse(`{${own}`) as WrittenOwn),
    detail: detail + own.slice(own.indexOf(detailBeginning)),
  };
}

function kindAt(bytes: Buffer, start: number, end: number): ReadKind {
  // Neighbours are often alike.
  if (last !== null && bytes.compare(last.bytes, 0, last.bytes.length, start, end) === 0) return last;
  const text = bytes.toString('utf8', start, end);
  let known = kinds.get(text);
  if (known === undefined) {
    const kind = JSON.parse(`${text}}`) as RecordKind;
    const ofDetail = JSON.stringify(kindDetail(kind));
    known = { bytes: Buffer.from(text), kind, detail: `${ofDetail.slice(0, -1)},` };
    if (kinds.size >= kindsMax) kinds.clear();
    kinds.set(text, known);
  }
  last = known;
  return known;
}

/** What of a kind has no column of its own, without the nulls. */
function kindDetail(kind: RecordKind) {
  return {
    operation: kind.operation,
    dialect: kind.dialect,
    httpStatus: kind.httpStatus,
    keyAlias: kind.keyAlias ?? undefined,
    modelAsked: kind.modelAsked ?? undefined,
    apiBase: kind.apiBase ?? undefined,
    stream: kind.stream,
    cacheHit: kind.cacheHit,
    priceSource: kind.priceSource ?? undefined,
    finishReason: kind.finishReason ?? undefined,
  };
}

/** What of a record has no column of its own, without the nulls: most of these are absent most of the time. */
export function detailOf(record: RequestRecord) {
  return {
    ...kindDetail(record),
    usage: shortUsage(record.usage),
    bound: record.bound,
    overheadMs: record.overheadMs,
    attempts: record.attempts,
    metadata: record.metadata,
    admittedMs: record.admittedMs,
    clientAddress: record.clientAddress ?? undefined,
    tags: record.tags.length === 0 ? undefined : record.tags,
    firstTokenAt: record.firstTokenAt ?? undefined,
    errorMessage: record.errorMessage ?? undefined,
    traceId: record.traceId ?? undefined,
    cacheKey: record.cacheKey ?? undefined,
    requestText: record.requestText ?? undefined,
    responseText: record.responseText ?? undefined,
  };
}

/** Spelled out: putting two objects together costs three times as much. */
function recordOf(kind: RecordKind, own: WrittenOwn): RequestRecord {
  return {
    id: own.id,
    operation: kind.operation,
    dialect: kind.dialect,
    path: kind.path,
    status: kind.status,
    httpStatus: kind.httpStatus,
    errorCode: kind.errorCode,
    errorMessage: own.errorMessage ?? null,
    keyId: kind.keyId,
    keyAlias: kind.keyAlias,
    userId: kind.userId,
    teamId: kind.teamId,
    organizationId: kind.organizationId,
    endUserId: own.endUserId,
    tags: own.tags ?? [],
    sessionId: own.sessionId,
    traceId: own.traceId ?? null,
    clientAddress: own.clientAddress ?? null,
    modelAsked: kind.modelAsked,
    modelGroup: kind.modelGroup,
    deploymentId: kind.deploymentId,
    provider: kind.provider,
    modelUsed: kind.modelUsed,
    apiBase: kind.apiBase,
    stream: kind.stream,
    cacheHit: kind.cacheHit,
    cacheKey: own.cacheKey ?? null,
    usage: fullUsage(own.usage),
    cost: own.cost,
    bound: own.bound,
    priceSource: kind.priceSource,
    startedAt: own.startedAt,
    firstTokenAt: own.firstTokenAt ?? null,
    endedAt: own.endedAt,
    admittedMs: own.admittedMs,
    overheadMs: own.overheadMs,
    attempts: own.attempts,
    finishReason: kind.finishReason,
    metadata: own.metadata,
    requestText: own.requestText ?? null,
    responseText: own.responseText ?? null,
  };
}

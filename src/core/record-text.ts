import { kindOf, type RecordKind } from './record-kind.ts';
import type { Attempt, RequestRecord } from './request-record.ts';
import type { Usage } from './usage.ts';

/*
 * A record as JSON, member by member. JSON.stringify takes four times as long, for it looks at every member anew; here
 * what all records of a kind say is one text that was written before, and the rest are mostly whole numbers.
 */

/**
 * `{` and the members of the kind; the others and `}`. Of the others come first those that are columns of a row, then,
 * from `usage` on, what is kept of it as one text.
 */
export function recordText(record: RequestRecord): readonly [beginning: string, rest: string] {
  const kind = kindOf(record);
  let known = textsOfKind.get(kind);
  if (known === undefined) {
    known = { beginning: JSON.stringify(kind).slice(0, -1), attempt: null, attemptBeginning: '' };
    textsOfKind.set(kind, known);
  }
  const rest =
    `,"id":${quoted(record.id)},"endUserId":${text(record.endUserId)},"sessionId":${text(record.sessionId)},` +
    `"cost":${figure(record.cost)},"startedAt":${figure(record.startedAt)},"endedAt":${figure(record.endedAt)},` +
    `"usage":${usageText(record.usage)},"bound":${figure(record.bound)},"overheadMs":${figure(record.overheadMs)},` +
    `"attempts":${attemptsText(record.attempts, known)},"metadata":${JSON.stringify(record.metadata)}` +
    `${seldom(record)}}`;
  return [known.beginning, rest];
}

/** What most requests lack. */
function seldom(record: RequestRecord): string {
  const { tags, firstTokenAt, admittedMs } = record;
  let members = '';
  if (admittedMs !== undefined) members += `,"admittedMs":${figure(admittedMs)}`;
  if (record.clientAddress !== null) members += `,"clientAddress":${quoted(record.clientAddress)}`;
  if (tags.length > 0) members += `,"tags":${JSON.stringify(tags)}`;
  if (firstTokenAt !== null) members += `,"firstTokenAt":${figure(firstTokenAt)}`;
  if (record.errorMessage !== null) members += `,"errorMessage":${quoted(record.errorMessage)}`;
  if (record.traceId !== null) members += `,"traceId":${quoted(record.traceId)}`;
  if (record.cacheKey !== null) members += `,"cacheKey":${quoted(record.cacheKey)}`;
  if (record.requestText !== null) members += `,"requestText":${quoted(record.requestText)}`;
  if (record.responseText !== null) members += `,"responseText":${quoted(record.responseText)}`;
  return members;
}

interface KindTexts {
  readonly beginning: string;
  /** The last attempt that was the only one of its request, and what others like it begin with. */
  attempt: Attempt | null;
  attemptBeginning: string;
}

const textsOfKind = new WeakMap<RecordKind, KindTexts>();

function quoted(value: string): string {
  return JSON.stringify(value);
}

function text(value: string | null): string {
  return value === null ? 'null' : JSON.stringify(value);
}

function figure(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

function usageText(usage: Usage): string {
  const { inputTokens, cacheReadTokens, cacheWriteTokens, cacheWriteLongTokens, inputAudioTokens } = usage;
  const { inputImageTokens, outputTokens, reasoningTokens, outputAudioTokens, webSearchCalls } = usage;
  const input = inputTokens + cacheReadTokens + cacheWriteTokens + cacheWriteLongTokens + inputAudioTokens;
  const others = inputImageTokens + outputTokens + reasoningTokens + outputAudioTokens + webSearchCalls;
  const isPlain = usage.units === undefined && usage.providerCost === undefined && usage.serviceTier === undefined;
  if (!isPlain || !Number.isFinite(input + others)) return JSON.stringify(usage);
  return (
    `{"inputTokens":${inputTokens},"cacheReadTokens":${cacheReadTokens},"cacheWriteTokens":${cacheWriteTokens},` +
    `"cacheWriteLongTokens":${cacheWriteLongTokens},"inputAudioTokens":${inputAudioTokens},` +
    `"inputImageTokens":${inputImageTokens},"outputTokens":${outputTokens},"reasoningTokens":${reasoningTokens},` +
    `"outputAudioTokens":${outputAudioTokens},"webSearchCalls":${webSearchCalls},"estimated":${usage.estimated}}`
  );
}

function attemptsText(attempts: readonly Attempt[], known: KindTexts): string {
  if (attempts.length !== 1) return JSON.stringify(attempts);
  const attempt = attempts[0]!;
  if (known.attempt === null || !isAlike(known.attempt, attempt)) {
    const { startedAt: _startedAt, durationMs: _durationMs, charged: _charged, ...alike } = attempt;
    known.attempt = attempt;
    known.attemptBeginning = JSON.stringify(alike).slice(0, -1);
  }
  const { startedAt, durationMs, charged } = attempt;
  return `[${known.attemptBeginning},"startedAt":${figure(startedAt)},"durationMs":${figure(durationMs)},"charged":${figure(charged)}}]`;
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

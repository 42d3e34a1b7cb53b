import { detailOf } from '../../core/record-reading.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { storableText } from '../../core/text.ts';
import type { Usage } from '../../core/usage.ts';
import { fullUsage, totalInputTokens, totalOutputTokens } from '../../core/usage.ts';
import type { SqlRow } from './columns.ts';
import { wholeNumber } from './columns.ts';

/*
 * A request on record: what is searched, grouped or sorted by has a column of its own, the rest is one JSON text.
 */

export const usageColumns = [
  'id',
  'started_at',
  'ended_at',
  'day',
  'status',
  'error_code',
  'key_id',
  'user_id',
  'team_id',
  'organization_id',
  'end_user_id',
  'session_id',
  'model_used',
  'model_group',
  'deployment_id',
  'provider',
  'path',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'total_tokens',
  'cost',
  'detail',
] as const;

let lastDayStart = Number.NaN;
let lastDay = '';
const dayMs = 86_400_000;

/** `YYYY-MM-DD` in UTC. */
export function utcDay(time: number): string {
  const start = time - (time % dayMs);
  if (start !== lastDayStart) {
    lastDayStart = start;
    lastDay = new Date(start).toISOString().slice(0, 10);
  }
  return lastDay;
}

/** Far beyond any request; small enough that the sums of a day fit. */
const tokensMax = 1_000_000_000_000;

function tokens(count: number): number {
  return Number.isNaN(count) ? 0 : Math.round(Math.min(Math.max(count, 0), tokensMax));
}

/**
 * Input, output, cache read and cache write. Providers have been seen to report fractions and nonsense: that must not
 * keep a request, and the others of its batch, from being recorded.
 */
export function tokenFigures(
  usage: Usage,
): [inputTokens: number, outputTokens: number, cacheReadTokens: number, cacheWriteTokens: number] {
  return [
    tokens(totalInputTokens(usage)),
    tokens(totalOutputTokens(usage)),
    tokens(usage.cacheReadTokens),
    tokens(usage.cacheWriteTokens + usage.cacheWriteLongTokens),
  ];
}

const textProperties = [
  'path',
  'errorCode',
  'keyId',
  'userId',
  'teamId',
  'organizationId',
  'endUserId',
  'sessionId',
  'modelUsed',
  'modelGroup',
  'deploymentId',
  'provider',
] as const satisfies readonly (keyof RequestRecord)[];

/** The record with text that every store can hold; the same one when it has nothing else. */
export function storableRecord(record: RequestRecord): RequestRecord {
  const changes: Partial<Record<(typeof textProperties)[number], string>> = {};
  let isStorable = true;
  for (const property of textProperties) {
    const text = record[property];
    if (text === null) continue;
    const storable = storableText(text);
    if (storable === text) continue;
    changes[property] = storable;
    isStorable = false;
  }
  const tags = record.tags.some((tag) => storableText(tag) !== tag) ? record.tags.map(storableText) : record.tags;
  return isStorable && tags === record.tags ? record : { ...record, ...changes, tags };
}

/** The values of a record in the order of `usageColumns`; `detail` where it is written already. */
export function usageValues(record: RequestRecord, detail = JSON.stringify(detailOf(record))): unknown[] {
  const [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens] = tokenFigures(record.usage);
  return [
    record.id,
    record.startedAt,
    record.endedAt,
    utcDay(record.startedAt),
    record.status,
    record.errorCode,
    record.keyId,
    record.userId,
    record.teamId,
    record.organizationId,
    record.endUserId,
    record.sessionId,
    record.modelUsed,
    record.modelGroup,
    record.deploymentId,
    record.provider,
    record.path,
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    inputTokens + outputTokens,
    record.cost,
    detail,
  ];
}

type Detail = ReturnType<typeof detailOf>;

export function usageRecord(stored: SqlRow): RequestRecord {
  const detail = JSON.parse(stored.detail as string) as Detail;
  return {
    id: stored.id as string,
    operation: detail.operation,
    dialect: detail.dialect,
    path: stored.path as string,
    status: stored.status as RequestRecord['status'],
    httpStatus: detail.httpStatus,
    errorCode: stored.error_code as string | null,
    errorMessage: detail.errorMessage ?? null,
    keyId: stored.key_id as string | null,
    keyAlias: detail.keyAlias ?? null,
    userId: stored.user_id as string | null,
    teamId: stored.team_id as string | null,
    organizationId: stored.organization_id as string | null,
    endUserId: stored.end_user_id as string | null,
    tags: detail.tags ?? [],
    sessionId: stored.session_id as string | null,
    traceId: detail.traceId ?? null,
    clientAddress: detail.clientAddress ?? null,
    modelAsked: detail.modelAsked ?? null,
    modelGroup: stored.model_group as string | null,
    deploymentId: stored.deployment_id as string | null,
    provider: stored.provider as string | null,
    modelUsed: stored.model_used as string | null,
    apiBase: detail.apiBase ?? null,
    stream: detail.stream,
    cacheHit: detail.cacheHit,
    cacheKey: detail.cacheKey ?? null,
    usage: fullUsage(detail.usage),
    cost: wholeNumber(stored.cost),
    bound: detail.bound,
    priceSource: detail.priceSource ?? null,
    startedAt: wholeNumber(stored.started_at),
    firstTokenAt: detail.firstTokenAt ?? null,
    endedAt: wholeNumber(stored.ended_at),
    ...(detail.admittedMs === undefined ? {} : { admittedMs: detail.admittedMs }),
    overheadMs: detail.overheadMs,
    attempts: detail.attempts,
    finishReason: detail.finishReason ?? null,
    metadata: detail.metadata,
    requestText: detail.requestText ?? null,
    responseText: detail.responseText ?? null,
  };
}

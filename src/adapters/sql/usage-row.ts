import type { RequestRecord } from '../../core/request-record.ts';
import { totalInputTokens, totalOutputTokens } from '../../core/usage.ts';
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

/** The values of a record in the order of `usageColumns`. */
export function usageValues(record: RequestRecord): unknown[] {
  const { usage } = record;
  const inputTokens = totalInputTokens(usage);
  const outputTokens = totalOutputTokens(usage);
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
    usage.cacheReadTokens,
    usage.cacheWriteTokens + usage.cacheWriteLongTokens,
    inputTokens + outputTokens,
    record.cost,
    JSON.stringify(detailOf(record)),
  ];
}

/** Without the nulls: most of these are absent most of the time. */
function detailOf(record: RequestRecord) {
  return {
    operation: record.operation,
    dialect: record.dialect,
    httpStatus: record.httpStatus,
    errorMessage: record.errorMessage ?? undefined,
    keyAlias: record.keyAlias ?? undefined,
    tags: record.tags.length === 0 ? undefined : record.tags,
    traceId: record.traceId ?? undefined,
    clientAddress: record.clientAddress ?? undefined,
    modelAsked: record.modelAsked ?? undefined,
    apiBase: record.apiBase ?? undefined,
    stream: record.stream,
    cacheHit: record.cacheHit,
    cacheKey: record.cacheKey ?? undefined,
    usage: record.usage,
    bound: record.bound,
    priceSource: record.priceSource ?? undefined,
    firstTokenAt: record.firstTokenAt ?? undefined,
    overheadMs: record.overheadMs,
    attempts: record.attempts,
    finishReason: record.finishReason ?? undefined,
    metadata: record.metadata,
    requestText: record.requestText ?? undefined,
    responseText: record.responseText ?? undefined,
  };
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
    usage: detail.usage,
    cost: wholeNumber(stored.cost),
    bound: detail.bound,
    priceSource: detail.priceSource ?? null,
    startedAt: wholeNumber(stored.started_at),
    firstTokenAt: detail.firstTokenAt ?? null,
    endedAt: wholeNumber(stored.ended_at),
    overheadMs: detail.overheadMs,
    attempts: detail.attempts,
    finishReason: detail.finishReason ?? null,
    metadata: detail.metadata,
    requestText: detail.requestText ?? null,
    responseText: detail.responseText ?? null,
  };
}

import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { dollarsFromNanodollars, nanodollarsFromDollars } from '../../core/money.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { totalInputTokens, totalOutputTokens } from '../../core/usage.ts';
import { notFound } from '../authorize.ts';
import type { Endpoint } from '../contract.ts';
import { endpoint } from '../contract.ts';
import type { ControlPlane } from '../control-plane.ts';
import { isWithin, spendScope } from '../spend-scope.ts';
import { feedbackOn, feedbackOutput, shownFeedback } from './feedback.ts';
import { filterFields, filterOf, rangeOf } from './filter.ts';
import { type Position, searchRequests } from './search.ts';
import { arithmeticOf, stepsOf, timesOf } from './story.ts';

const dayMs = 86_400_000;

const searchQuery = z.object({
  ...filterFields,
  error_code: z.string().max(128).optional(),
  session: z.string().max(512).optional(),
  min_cost: z.coerce.number().nonnegative().max(9_000_000).optional(),
  max_cost: z.coerce.number().nonnegative().max(9_000_000).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(512).optional().describe('`next_cursor` of the page before'),
});

const text = z.string().nullable();
const figure = z.number().nullable();

const summaryOutput = {
  id: z.string(),
  started_at: z.string(),
  duration_ms: z.number(),
  first_token_ms: figure,
  status: z.string(),
  http_status: z.number(),
  error_code: text,
  operation: z.string(),
  path: z.string(),
  stream: z.boolean(),
  key: text,
  key_alias: text,
  user: text,
  team: text,
  organization: text,
  end_user: text,
  tags: z.array(z.string()),
  session: text,
  model_asked: text,
  model_group: text,
  model: text,
  deployment: text,
  provider: text,
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost: z.number(),
  cache_hit: z.boolean(),
  attempts: z.number(),
};

const step = z.object({ at_ms: z.number(), step: z.string(), detail: text });
const line = z.object({
  class: z.string(),
  tokens: z.number(),
  dollars_per_million: z.number(),
  cost: z.number(),
});

const storyOutput = z.object({
  ...summaryOutput,
  ended_at: z.string(),
  error_message: text,
  finish_reason: text,
  trace: text,
  client_address: text,
  api_base: text,
  usage: z.record(z.string(), z.unknown()),
  metadata: z.record(z.string(), z.unknown()),
  steps: z.array(step),
  times: z.object({
    total_ms: z.number(),
    gateway_ms: z.number(),
    first_content_ms: figure,
    providers_ms: z.number(),
    retries: z.number(),
  }),
  tries: z.array(
    z.object({
      model_group: z.string(),
      deployment: z.string(),
      provider: z.string(),
      model: z.string(),
      started_at: z.string(),
      duration_ms: z.number(),
      http_status: figure,
      result: z.string(),
      ambiguous: z.boolean(),
      charged: z.number(),
    }),
  ),
  cost_arithmetic: z.object({
    charged: z.number(),
    held: z.number(),
    price_source: text,
    usage_estimated: z.boolean(),
    lines: z.array(line),
    per_request: z.number(),
    web_searches: z.number(),
    told_by_provider: figure,
    listed: z.number(),
    discount: z.number(),
    margin: z.number(),
    unseen_attempts: z.number(),
    reproduced: z.boolean(),
  }),
  request_text: text,
  response_text: text,
  feedback: feedbackOutput,
});

/** Requests one by one: search with a cursor, and the whole story of one. */
export function usageRequestEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /usage/requests', {
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag: 'usage',
      summary: 'Requests, newest first, a page at a time; the last 30 days unless told otherwise.',
      query: searchQuery,
      response: z.object({
        requests: z.array(z.object(summaryOutput)),
        next_cursor: text.describe('leads to earlier requests, also where a page is short; null when there are none'),
        searched_from: z.string().describe('everything since then, and before the last page, has been searched'),
      }),
      async run({ actor, query }) {
        await plane.ledger.flush();
        // A request of this very moment belongs to the answer.
        const range = rangeOf(query, plane.clock.now() + 1, 30 * dayMs);
        const filter = {
          ...(await filterOf(plane, actor, query)),
          ...range,
          ...(query.error_code === undefined ? {} : { errorCode: query.error_code }),
          ...(query.session === undefined ? {} : { sessionId: query.session }),
          ...(query.min_cost === undefined ? {} : { costMin: nanodollarsFromDollars(query.min_cost) }),
          ...(query.max_cost === undefined ? {} : { costMax: nanodollarsFromDollars(query.max_cost) }),
        };
        const after = query.cursor === undefined ? null : readCursor(query.cursor);
        const { records, next } = await searchRequests(plane, filter, query.limit, after);
        return {
          requests: records.map(summaryOf),
          next_cursor: next === null ? null : cursorOf(next),
          searched_from: new Date(next?.startedAt ?? filter.from).toISOString(),
        };
      },
    }),
    endpoint('GET /usage/requests/{id}', {
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag: 'usage',
      summary: 'Everything known about one request: its steps, its attempts, how its cost comes about.',
      response: storyOutput,
      async run({ actor, params }) {
        await plane.ledger.flush();
        const record = await plane.store.usage.get(params.id!);
        if (record === undefined || !isWithin(spendScope(actor, {}), record)) throw notFound('request', params.id!);
        const traces = record.traceId === null ? [record.id] : [record.id, record.traceId];
        const feedback = (await feedbackOn(plane, actor, traces)).map(shownFeedback);
        return { ...storyOf(record, plane), feedback };
      },
    }),
  ];
}

function summaryOf(record: RequestRecord) {
  return {
    id: record.id,
    started_at: new Date(record.startedAt).toISOString(),
    duration_ms: record.endedAt - record.startedAt,
    first_token_ms: record.firstTokenAt === null ? null : record.firstTokenAt - record.startedAt,
    status: record.status,
    http_status: record.httpStatus,
    error_code: record.errorCode,
    operation: record.operation,
    path: record.path,
    stream: record.stream,
    key: record.keyId,
    key_alias: record.keyAlias,
    user: record.userId,
    team: record.teamId,
    organization: record.organizationId,
    end_user: record.endUserId,
    tags: [...record.tags],
    session: record.sessionId,
    model_asked: record.modelAsked,
    model_group: record.modelGroup,
    model: record.modelUsed,
    deployment: record.deploymentId,
    provider: record.provider,
    input_tokens: totalInputTokens(record.usage),
    output_tokens: totalOutputTokens(record.usage),
    cost: dollarsFromNanodollars(record.cost),
    cache_hit: record.cacheHit,
    attempts: record.attempts.length,
  };
}

function storyOf(record: RequestRecord, plane: ControlPlane) {
  return {
    ...summaryOf(record),
    ended_at: new Date(record.endedAt).toISOString(),
    error_message: record.errorMessage,
    finish_reason: record.finishReason,
    trace: record.traceId,
    client_address: record.clientAddress,
    api_base: record.apiBase,
    usage: { ...record.usage },
    metadata: record.metadata,
    steps: stepsOf(record),
    times: timesOf(record),
    tries: record.attempts.map((attempt) => ({
      model_group: attempt.group,
      deployment: attempt.deploymentId,
      provider: attempt.provider,
      model: attempt.model,
      started_at: new Date(attempt.startedAt).toISOString(),
      duration_ms: attempt.durationMs,
      http_status: attempt.status,
      result: attempt.result,
      ambiguous: attempt.ambiguous,
      charged: dollarsFromNanodollars(attempt.charged),
    })),
    cost_arithmetic: arithmeticOf(record, plane.snapshot()),
    request_text: record.requestText,
    response_text: record.responseText,
  };
}

function cursorOf({ startedAt, id }: Position): string {
  return Buffer.from(`${startedAt} ${id}`).toString('base64url');
}

function readCursor(cursor: string): Position {
  const [, startedAt, id] = /^(\d{1,15}) (.*)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (startedAt !== undefined && id !== undefined) return { startedAt: Number(startedAt), id };
  throw new GatewayError('malformed_request', 'cursor: expected the next_cursor of an earlier answer.', {
    param: 'cursor',
  });
}

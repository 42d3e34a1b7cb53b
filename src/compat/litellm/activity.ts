import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import type { Access, Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { instant } from '../../admin/instant.ts';
import { spendScope } from '../../admin/spend-scope.ts';
import { GatewayError } from '../../core/errors.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { UsageDimension, UsageFilter, UsageSummary } from '../../core/store.ts';
import { page, pageSize, words } from './fields.ts';

const dayMs = 86_400_000;

const metricsOutput = z.object({
  spend: z.number(),
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  cache_read_input_tokens: z.number(),
  cache_creation_input_tokens: z.number(),
  total_tokens: z.number(),
  successful_requests: z.number(),
  failed_requests: z.number(),
  api_requests: z.number(),
});
const part = z.record(z.string(), z.object({ metrics: metricsOutput, metadata: z.record(z.string(), z.unknown()) }));

const activityOutput = z.object({
  results: z.array(
    z.object({
      date: z.string(),
      metrics: metricsOutput,
      breakdown: z.object({
        models: part,
        model_groups: part,
        providers: part,
        endpoints: part,
        mcp_servers: part,
        api_keys: part,
        entities: part,
      }),
    }),
  ),
  metadata: z.object({
    total_spend: z.number(),
    total_prompt_tokens: z.number(),
    total_completion_tokens: z.number(),
    total_tokens: z.number(),
    total_cache_read_input_tokens: z.number(),
    total_cache_creation_input_tokens: z.number(),
    total_api_requests: z.number(),
    total_successful_requests: z.number(),
    total_failed_requests: z.number(),
    page: z.number(),
    total_pages: z.number(),
    has_more: z.boolean(),
  }),
});

const common = {
  start_date: z.string().optional(),
  end_date: z.string().optional(),
  model: z.string().optional(),
  api_key: z.string().max(512).optional(),
  page: page.default(1),
  page_size: pageSize.default(100),
};

interface Kind {
  readonly path: string;
  readonly of: string;
  readonly dimension: UsageDimension;
  readonly access: Access;
  /** Query parameter that names the entities. */
  readonly param: string;
}

const kinds: readonly Kind[] = [
  { path: 'user', of: 'users', dimension: 'userId', access: 'any_key', param: 'user_id' },
  { path: 'team', of: 'teams', dimension: 'teamId', access: 'any_key', param: 'team_ids' },
  { path: 'tag', of: 'tags', dimension: 'tag', access: 'admin_read', param: 'tags' },
  { path: 'customer', of: 'customers', dimension: 'endUserId', access: 'admin_read', param: 'end_user_ids' },
  {
    path: 'organization',
    of: 'organizations',
    dimension: 'organizationId',
    access: 'admin_read',
    param: 'organization_ids',
  },
];

/** `/user|team|tag|customer|organization/daily/activity`. */
export function activityEndpoints(plane: ControlPlane): Endpoint[] {
  return kinds.map((kind) =>
    endpoint(`GET /${kind.path}/daily/activity`, {
      aliases: kind.path === 'customer' ? ['/end_user/daily/activity'] : [],
      access: kind.access,
      group: 'spend_tracking_routes',
      tag: 'spend',
      summary: `Spend, tokens and requests a day, broken down by ${kind.of}, models, providers and keys.`,
      query: z.object({ ...common, [kind.param]: words.optional() }),
      response: activityOutput,
      async run({ actor, query }) {
        await plane.ledger.flush();
        const names = (query as Record<string, unknown>)[kind.param] as string[] | undefined;
        const filters = filtersFor(plane, actor, kind, names, query);
        const by: UsageDimension[] = ['day', 'modelUsed', 'modelGroup', 'provider', 'path', 'keyId', kind.dimension];
        const sums = (await Promise.all(filters.map((filter) => plane.store.usage.summarize(filter, by)))).flat();
        return activity(sums, kind.dimension, query.page, query.page_size);
      },
    }),
  );
}

/** One filter for each entity named, or one for all that the actor may see. */
function filtersFor(
  plane: ControlPlane,
  actor: Actor,
  kind: Kind,
  names: readonly string[] | undefined,
  query: {
    start_date?: string | undefined;
    end_date?: string | undefined;
    model?: string | undefined;
    api_key?: string | undefined;
  },
): UsageFilter[] {
  const today = Math.floor(plane.clock.now() / dayMs) * dayMs;
  const from = instant(query.start_date, 'start_date', 'start') ?? today - 29 * dayMs;
  const to = instant(query.end_date, 'end_date', 'end') ?? today + dayMs;
  if (to - from > 400 * dayMs)
    throw new GatewayError('malformed_request', 'At most 400 days at once.', { param: 'start_date' });
  const range = { from, to, ...(query.model === undefined ? {} : { model: query.model }) };
  const asked = { api_key: query.api_key };
  if (names === undefined || names.length === 0) return [{ ...spendScope(actor, asked), ...range }];
  return names.slice(0, 100).map((name) => {
    if (kind.dimension === 'userId') return { ...spendScope(actor, { ...asked, user_id: name }), ...range };
    if (kind.dimension === 'teamId') return { ...spendScope(actor, { ...asked, team_id: name }), ...range };
    return { ...spendScope(actor, asked), ...range, [kind.dimension]: name };
  });
}

function activity(sums: readonly UsageSummary[], entity: UsageDimension, pageNumber: number, size: number) {
  const days = new Map<string, UsageSummary[]>();
  for (const sum of sums) {
    const day = sum.group.day ?? '';
    const entries = days.get(day);
    if (entries === undefined) days.set(day, [sum]);
    else entries.push(sum);
  }
  const dates = [...days.keys()].sort().reverse();
  const total = metricsOf(sums);
  const pages = Math.max(1, Math.ceil(dates.length / size));
  return {
    results: dates.slice((pageNumber - 1) * size, pageNumber * size).map((date) => {
      const entries = days.get(date)!;
      return {
        date,
        metrics: metricsOf(entries),
        breakdown: {
          models: breakdown(entries, 'modelUsed'),
          model_groups: breakdown(entries, 'modelGroup'),
          providers: breakdown(entries, 'provider'),
          endpoints: breakdown(entries, 'path'),
          mcp_servers: {},
          api_keys: breakdown(entries, 'keyId'),
          entities: breakdown(entries, entity),
        },
      };
    }),
    metadata: {
      total_spend: total.spend,
      total_prompt_tokens: total.prompt_tokens,
      total_completion_tokens: total.completion_tokens,
      total_tokens: total.total_tokens,
      total_cache_read_input_tokens: total.cache_read_input_tokens,
      total_cache_creation_input_tokens: total.cache_creation_input_tokens,
      total_api_requests: total.api_requests,
      total_successful_requests: total.successful_requests,
      total_failed_requests: total.failed_requests,
      page: pageNumber,
      total_pages: pages,
      has_more: pageNumber < pages,
    },
  };
}

function breakdown(sums: readonly UsageSummary[], dimension: UsageDimension) {
  const parts = new Map<string, UsageSummary[]>();
  for (const sum of sums) {
    const name = sum.group[dimension];
    if (!name) continue;
    parts.set(name, [...(parts.get(name) ?? []), sum]);
  }
  return Object.fromEntries([...parts].map(([name, entries]) => [name, { metrics: metricsOf(entries), metadata: {} }]));
}

export function metricsOf(sums: readonly UsageSummary[]) {
  const add = (pick: (sum: UsageSummary) => number) => sums.reduce((total, sum) => total + pick(sum), 0);
  const prompt = add((sum) => sum.inputTokens);
  const completion = add((sum) => sum.outputTokens);
  return {
    spend: dollarsFromNanodollars(add((sum) => sum.cost)),
    prompt_tokens: prompt,
    completion_tokens: completion,
    cache_read_input_tokens: add((sum) => sum.cacheReadTokens),
    cache_creation_input_tokens: add((sum) => sum.cacheWriteTokens),
    total_tokens: prompt + completion,
    successful_requests: add((sum) => sum.successes),
    failed_requests: add((sum) => sum.failures),
    api_requests: add((sum) => sum.requests),
  };
}

import { z } from 'zod';
import type { Call, Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { instant } from '../../admin/instant.ts';
import { isWithin, spendScope } from '../../admin/spend-scope.ts';
import { dollarsFromNanodollars, nanodollarsFromDollars } from '../../core/money.ts';
import type { UsageFilter, UsageSummary } from '../../core/store.ts';
import { flag, page, pageSize } from './fields.ts';
import { spendRow, spendRowOutput } from './spend-row.ts';

const tag = 'spend';
const rowsMax = 10_000;

const logsQuery = z.object({
  api_key: z.string().max(512).optional(),
  user_id: z.string().optional(),
  team_id: z.string().optional(),
  request_id: z.string().optional(),
  start_date: z.string().optional(),
  end_date: z.string().optional(),
  summarize: flag.default(true),
  limit: z.coerce.number().int().min(1).max(rowsMax).default(1_000),
});

const pagedQuery = z.object({
  api_key: z.string().max(512).optional(),
  user_id: z.string().optional(),
  request_id: z.string().optional(),
  team_id: z.string().optional(),
  min_spend: z.coerce.number().nonnegative().optional(),
  max_spend: z.coerce.number().nonnegative().optional(),
  start_date: z.string().optional(),
  end_date: z.string().optional(),
  page: page.default(1),
  page_size: pageSize.default(50),
  status_filter: z.enum(['success', 'failure']).optional(),
  model: z.string().optional(),
  model_id: z.string().optional(),
  model_group: z.string().optional(),
  key_alias: z.string().optional(),
  end_user: z.string().optional(),
  error_code: z.string().optional(),
  session_id: z.string().optional(),
  sort_by: z.enum(['spend', 'total_tokens', 'startTime', 'endTime']).default('startTime'),
  sort_order: z.enum(['asc', 'desc']).default('desc'),
});

const sortColumns = { spend: 'cost', total_tokens: 'totalTokens', startTime: 'startedAt', endTime: 'endedAt' } as const;

const daySummary = z.object({
  startTime: z.string().nullable(),
  spend: z.number(),
  users: z.record(z.string(), z.number()),
  models: z.record(z.string(), z.number()),
  api_keys: z.record(z.string(), z.number()),
});

export function spendLogEndpoints(plane: ControlPlane): Endpoint[] {
  const paged = async ({ actor, query }: Pick<Call<unknown, z.output<typeof pagedQuery>>, 'actor' | 'query'>) => {
    await plane.ledger.flush();
    const filter = await pagedFilter(plane, query, spendScope(actor, query));
    const total = filter === null ? 0 : await plane.store.usage.count(filter);
    const rows =
      filter === null
        ? []
        : await plane.store.usage.list(filter, {
            offset: (query.page - 1) * query.page_size,
            limit: query.page_size,
            orderBy: sortColumns[query.sort_by],
            descending: query.sort_order === 'desc',
          });
    const wanted = query.request_id === undefined ? rows : rows.filter((row) => row.id === query.request_id);
    return {
      data: wanted.map(spendRow),
      total: query.request_id === undefined ? total : wanted.length,
      page: query.page,
      page_size: query.page_size,
      total_pages: Math.ceil(total / query.page_size),
    };
  };

  return [
    endpoint('GET /spend/logs', {
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag,
      summary: 'Requests on record, newest first; with dates and summarize (the default) sums per day.',
      query: logsQuery,
      response: z.union([z.array(spendRowOutput), z.array(daySummary)]),
      async run({ actor, query }) {
        await plane.ledger.flush();
        const scope = spendScope(actor, query);
        if (query.request_id !== undefined) {
          const record = await plane.store.usage.get(query.request_id);
          return record !== undefined && isWithin(scope, record) ? [spendRow(record)] : [];
        }
        const from = instant(query.start_date, 'start_date', 'start');
        const to = instant(query.end_date, 'end_date', 'end');
        const filter = { ...scope, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
        if (from !== undefined && to !== undefined && query.summarize)
          return daySummaries(await plane.store.usage.summarize(filter, ['day', 'userId', 'modelUsed', 'keyId']));
        const rows = await plane.store.usage.list(filter, { offset: 0, limit: query.limit, descending: true });
        return rows.map(spendRow);
      },
    }),
    endpoint('GET /spend/logs/v2', {
      aliases: ['/spend/logs/ui'],
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag,
      summary: 'Requests on record, filtered, sorted, a page at a time.',
      query: pagedQuery,
      response: z.object({
        data: z.array(spendRowOutput),
        total: z.number(),
        page: z.number(),
        page_size: z.number(),
        total_pages: z.number(),
      }),
      run: paged,
    }),
    endpoint('GET /spend/logs/ui/{request_id}', {
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag,
      summary: 'One request with what was stored of its content.',
      response: spendRowOutput.partial(),
      async run({ actor, params }) {
        await plane.ledger.flush();
        const record = await plane.store.usage.get(params.request_id!);
        return record !== undefined && isWithin(spendScope(actor, {}), record) ? spendRow(record) : {};
      },
    }),
  ];
}

/** null when nothing can match. */
async function pagedFilter(
  plane: ControlPlane,
  query: z.output<typeof pagedQuery>,
  scope: UsageFilter,
): Promise<UsageFilter | null> {
  const from = instant(query.start_date, 'start_date', 'start');
  const to = instant(query.end_date, 'end_date', 'end');
  const entries: Record<string, unknown> = {
    ...scope,
    from,
    to,
    costMin: query.min_spend === undefined ? undefined : nanodollarsFromDollars(query.min_spend),
    costMax: query.max_spend === undefined ? undefined : nanodollarsFromDollars(query.max_spend),
    status: query.status_filter,
    model: query.model,
    deploymentId: query.model_id,
    modelGroup: query.model_group,
    endUserId: query.end_user,
    errorCode: query.error_code,
    sessionId: query.session_id,
  };
  if (query.key_alias !== undefined) {
    const [key] = await plane.store.keys.list({ where: { alias: query.key_alias }, limit: 1 });
    if (key === undefined || (scope.keyId !== undefined && scope.keyId !== key.id)) return null;
    entries.keyId = key.id;
  }
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as UsageFilter;
}

function daySummaries(sums: readonly UsageSummary[]) {
  const days = new Map<string | null, UsageSummary[]>();
  for (const sum of sums) {
    const day = sum.group.day ?? null;
    days.set(day, [...(days.get(day) ?? []), sum]);
  }
  return [...days].map(([day, entries]) => ({
    startTime: day,
    spend: dollarsFromNanodollars(entries.reduce((total, entry) => total + entry.cost, 0)),
    users: spendBy(entries, 'userId'),
    models: spendBy(entries, 'modelUsed'),
    api_keys: spendBy(entries, 'keyId'),
  }));
}

function spendBy(sums: readonly UsageSummary[], dimension: 'userId' | 'modelUsed' | 'keyId'): Record<string, number> {
  const totals = new Map<string, number>();
  for (const sum of sums) {
    const name = sum.group[dimension] ?? '';
    totals.set(name, (totals.get(name) ?? 0) + sum.cost);
  }
  return Object.fromEntries([...totals].map(([name, cost]) => [name, dollarsFromNanodollars(cost)]));
}

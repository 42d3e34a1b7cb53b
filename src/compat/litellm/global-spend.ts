import { z } from 'zod';
import { giveAllBack } from '../../admin/adjustment.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { instant } from '../../admin/instant.ts';
import { keyIdOf } from '../../admin/key.ts';
import { GatewayError } from '../../core/errors.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { UsageDimension, UsageFilter, UsageSummary } from '../../core/store.ts';
import { inDollars } from './fields.ts';

const tag = 'spend';
const dayMs = 86_400_000;
const dates = { start_date: z.string().optional(), end_date: z.string().optional() };
const top = { ...dates, limit: z.coerce.number().int().min(1).max(1_000).default(10) };

/** Sums over everything: administrators only. */
export function globalSpendEndpoints(plane: ControlPlane): Endpoint[] {
  const sums = async (
    query: { start_date?: string | undefined; end_date?: string | undefined },
    by: UsageDimension[],
    more: UsageFilter = {},
  ) => {
    await plane.ledger.flush();
    return plane.store.usage.summarize({ ...range(plane, query), ...more }, by);
  };
  const ranked = async (query: z.output<z.ZodObject<typeof top>>, dimension: UsageDimension) =>
    (await sums(query, [dimension]))
      .flatMap((sum) => (sum.group[dimension] ? [{ name: sum.group[dimension], sum }] : []))
      .sort((one, other) => other.sum.cost - one.sum.cost)
      .slice(0, query.limit);
  const reader = { access: 'admin_read', group: 'spend_tracking_routes', tag } as const;
  const named = (name: string) => z.array(z.object({ [name]: z.string(), total_spend: z.number() }));

  return [
    endpoint('GET /global/spend', {
      ...reader,
      summary: 'Everything spent so far, and the budget of the whole gateway.',
      response: z.object({ spend: z.number(), max_budget: z.number() }),
      async run() {
        await plane.ledger.flush();
        const all = await plane.store.usage.summarize({}, []);
        const cap = plane.snapshot().settings.globalBudget?.cap ?? null;
        return { spend: total(all), max_budget: inDollars(cap) ?? 0 };
      },
    }),
    endpoint('POST /global/spend/reset', {
      access: 'admin',
      tag,
      summary: 'Every key and team starts anew: what it spent in its running windows is given back. The records stay.',
      response: z.object({ message: z.string(), status: z.string(), accounts_reset: z.number() }),
      async run({ actor }) {
        const reset = await giveAllBack(plane, actor, 'POST /global/spend/reset');
        return {
          message: 'Spend for all API Keys and Teams reset successfully',
          status: 'success',
          accounts_reset: reset,
        };
      },
    }),
    endpoint('GET /global/spend/logs', {
      ...reader,
      summary: 'Spend a day.',
      query: z.object({ ...dates, api_key: z.string().max(512).optional() }),
      response: z.array(z.object({ date: z.string(), spend: z.number() })),
      async run({ query }) {
        const filter = query.api_key === undefined ? {} : { keyId: keyIdOf(query.api_key) };
        const days = await sums(query, ['day'], filter);
        return days.map((sum) => ({ date: sum.group.day ?? '', spend: dollarsFromNanodollars(sum.cost) }));
      },
    }),
    endpoint('GET /global/spend/keys', {
      ...reader,
      summary: 'Keys that spent most.',
      query: z.object(top),
      response: z.array(
        z.object({
          api_key: z.string(),
          key_alias: z.string().nullable(),
          key_name: z.string().nullable(),
          total_spend: z.number(),
        }),
      ),
      async run({ query }) {
        const keys = await ranked(query, 'keyId');
        const rows = new Map((await plane.store.keys.many(keys.map((key) => key.name))).map((row) => [row.id, row]));
        return keys.map(({ name, sum }) => ({
          api_key: name,
          key_alias: rows.get(name)?.alias ?? null,
          key_name: rows.get(name)?.name ?? null,
          total_spend: dollarsFromNanodollars(sum.cost),
        }));
      },
    }),
    endpoint('GET /global/spend/teams', {
      ...reader,
      summary: 'Spend a day and in all, by team.',
      query: z.object(dates),
      response: z.object({
        daily_spend: z.array(z.record(z.string(), z.union([z.string(), z.number()]))),
        teams: z.array(z.string()),
        total_spend_per_team: z.array(z.object({ team_id: z.string(), total_spend: z.number() })),
      }),
      async run({ query }) {
        const found = await sums(query, ['day', 'teamId']);
        const name = (sum: UsageSummary) => sum.group.teamId ?? 'Unassigned';
        const days = grouped(found, (sum) => sum.group.day ?? '');
        const teams = grouped(found, name);
        return {
          daily_spend: [...days].map(([date, entries]) => ({
            date,
            ...Object.fromEntries([...grouped(entries, name)].map(([team, parts]) => [team, total(parts)])),
          })),
          teams: [...teams.keys()],
          total_spend_per_team: [...teams].map(([team, entries]) => ({ team_id: team, total_spend: total(entries) })),
        };
      },
    }),
    endpoint('GET /global/spend/models', {
      ...reader,
      summary: 'Models that cost most.',
      query: z.object(top),
      response: named('model'),
      run: async ({ query }) =>
        (await ranked(query, 'modelUsed')).map(({ name, sum }) => ({
          model: name,
          total_spend: dollarsFromNanodollars(sum.cost),
        })),
    }),
    endpoint('GET /global/spend/provider', {
      ...reader,
      summary: 'Spend by provider.',
      query: z.object(dates),
      response: z.array(z.object({ provider: z.string(), spend: z.number() })),
      run: async ({ query }) =>
        (await sums(query, ['provider'])).map((sum) => ({
          provider: sum.group.provider ?? 'unknown',
          spend: dollarsFromNanodollars(sum.cost),
        })),
    }),
    endpoint('GET /global/spend/end_users', {
      ...reader,
      summary: 'Customers that cost most.',
      query: z.object(top),
      response: z.array(z.object({ end_user: z.string(), total_count: z.number(), total_spend: z.number() })),
      run: async ({ query }) =>
        (await ranked(query, 'endUserId')).map(({ name, sum }) => ({
          end_user: name,
          total_count: sum.requests,
          total_spend: dollarsFromNanodollars(sum.cost),
        })),
    }),
    endpoint('GET /global/spend/all_tag_names', {
      ...reader,
      summary: 'Names of all tags that requests carried.',
      response: z.object({ tag_names: z.array(z.string()) }),
      run: async () => ({
        tag_names: (await plane.store.usage.summarize({}, ['tag'])).flatMap((sum) => sum.group.tag ?? []),
      }),
    }),
    endpoint('GET /global/spend/tags', {
      ...reader,
      summary: 'Spend by tag.',
      query: z.object({ ...dates, tags: z.string().optional() }),
      response: z.object({
        spend_per_tag: z.array(z.object({ name: z.string(), spend: z.number(), log_count: z.number() })),
      }),
      async run({ query }) {
        const wanted = query.tags?.split(',').filter((name) => name !== 'all-tags') ?? [];
        const tags = await sums(query, ['tag']);
        return {
          spend_per_tag: tags.flatMap((sum) =>
            sum.group.tag && (wanted.length === 0 || wanted.includes(sum.group.tag))
              ? [{ name: sum.group.tag, spend: dollarsFromNanodollars(sum.cost), log_count: sum.requests }]
              : [],
          ),
        };
      },
    }),
    endpoint('GET /spend/tags', {
      ...reader,
      summary: 'Requests and spend by tag.',
      query: z.object(dates),
      response: z.array(
        z.object({ individual_request_tag: z.string(), log_count: z.number(), total_spend: z.number() }),
      ),
      run: async ({ query }) =>
        (await sums(query, ['tag'])).flatMap((sum) =>
          sum.group.tag
            ? [
                {
                  individual_request_tag: sum.group.tag,
                  log_count: sum.requests,
                  total_spend: dollarsFromNanodollars(sum.cost),
                },
              ]
            : [],
        ),
    }),
    endpoint('GET /global/activity', {
      ...reader,
      summary: 'Requests and tokens a day.',
      query: z.object(dates),
      response: z.object(activityOutput),
      run: async ({ query }) => activityOf(await sums(query, ['day'])),
    }),
    endpoint('GET /global/activity/model', {
      ...reader,
      summary: 'Requests and tokens a day, by model.',
      query: z.object(dates),
      response: z.array(z.object({ model: z.string(), ...activityOutput })),
      async run({ query }) {
        const models = grouped(await sums(query, ['day', 'modelGroup']), (sum) => sum.group.modelGroup ?? '');
        return [...models].map(([model, entries]) => ({ model, ...activityOf(entries) }));
      },
    }),
  ];
}

const activityOutput = {
  daily_data: z.array(z.object({ date: z.string(), api_requests: z.number(), total_tokens: z.number() })),
  sum_api_requests: z.number(),
  sum_total_tokens: z.number(),
};

function activityOf(entries: readonly UsageSummary[]) {
  const daily = entries.map((sum) => ({
    date: sum.group.day ?? '',
    api_requests: sum.requests,
    total_tokens: sum.inputTokens + sum.outputTokens,
  }));
  return {
    daily_data: daily,
    sum_api_requests: daily.reduce((sum, day) => sum + day.api_requests, 0),
    sum_total_tokens: daily.reduce((sum, day) => sum + day.total_tokens, 0),
  };
}

/** The days asked for, whole ones; the last thirty when none are. */
export function range(
  plane: ControlPlane,
  query: { start_date?: string | undefined; end_date?: string | undefined },
): { from: number; to: number } {
  const today = Math.floor(plane.clock.now() / dayMs) * dayMs;
  const from = instant(query.start_date, 'start_date', 'start') ?? today - 29 * dayMs;
  const to = instant(query.end_date, 'end_date', 'end') ?? today + dayMs;
  if (from >= to)
    throw new GatewayError('malformed_request', 'start_date must be before end_date.', { param: 'start_date' });
  return { from, to };
}

export function grouped<Item>(items: readonly Item[], name: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(name(item));
    if (group === undefined) groups.set(name(item), [item]);
    else group.push(item);
  }
  return groups;
}

export function total(sums: readonly UsageSummary[]): number {
  return dollarsFromNanodollars(sums.reduce((sum, entry) => sum + entry.cost, 0));
}

import { z } from 'zod';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import type { BudgetRule } from '../../core/limits.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { UsageSummary } from '../../core/store.ts';
import { identifier, inDollars, isoTime } from './fields.ts';
import { grouped, range } from './global-spend.ts';
import { keyFigures } from './key-figures.ts';
import { keyOutput, shownKey } from './key-shape.ts';
import { shownUsers } from './user-figures.ts';
import { userOutput } from './user-shape.ts';

const tag = 'spend';
const listedMax = 1_000;
const dayMs = 86_400_000;

/** Who and what has spent how much, as lists. */
export function spendListEndpoints(plane: ControlPlane): Endpoint[] {
  const reader = { access: 'admin_read', group: 'spend_tracking_routes', tag } as const;
  return [
    endpoint('GET /spend/keys', {
      ...reader,
      summary: 'Keys with what they spent in their running windows, the most first.',
      response: z.array(keyOutput),
      async run() {
        const rows = await plane.store.keys.list({ orderBy: 'createdAt', descending: true, limit: 10_000 });
        const figures = await keyFigures(plane, rows);
        return rows
          .map((row, index) => shownKey(row, figures[index]!))
          .sort((one, other) => other.spend - one.spend)
          .slice(0, listedMax);
      },
    }),
    endpoint('GET /spend/users', {
      ...reader,
      summary: 'Users with what they spent, the most first; or one of them.',
      query: z.object({ user_id: identifier.optional() }),
      response: z.array(userOutput),
      async run({ query }) {
        const where = query.user_id === undefined ? {} : { id: query.user_id };
        const rows = await plane.store.users.list({ where, orderBy: 'createdAt', descending: true, limit: listedMax });
        return (await shownUsers(plane, rows)).sort((one, other) => other.spend - one.spend);
      },
    }),
    endpoint('GET /provider/budgets', {
      ...reader,
      summary: 'Budgets of providers with what is spent of them.',
      response: z.object({
        providers: z.record(
          z.string(),
          z.object({
            budget_limit: z.number().nullable(),
            time_period: z.string().nullable(),
            spend: z.number(),
            budget_reset_at: z.string().nullable(),
          }),
        ),
      }),
      run() {
        const rules = new Map<string, BudgetRule>();
        for (const { budgets } of plane.snapshot().deployments.values()) {
          for (const rule of budgets) if (rule.scope === 'provider') rules.set(rule.id, rule);
        }
        const shown = [...rules].map(([provider, rule]) => {
          const { spent, resetAt } = plane.ledger.balance(rule);
          const figures = {
            budget_limit: inDollars(rule.cap),
            time_period: rule.duration,
            spend: dollarsFromNanodollars(spent),
            budget_reset_at: isoTime(resetAt),
          };
          return [provider, figures] as const;
        });
        return { providers: Object.fromEntries(shown) };
      },
    }),
    endpoint('GET /tag/summary', {
      ...reader,
      summary: 'Requests, tokens, users and spend by tag.',
      query: z.object({ start_date: z.string().optional(), end_date: z.string().optional() }),
      response: z.object({
        results: z.array(
          z.object({
            tag: z.string(),
            unique_users: z.number(),
            total_requests: z.number(),
            successful_requests: z.number(),
            failed_requests: z.number(),
            total_tokens: z.number(),
            total_spend: z.number(),
          }),
        ),
      }),
      async run({ query }) {
        await plane.ledger.flush();
        const sums = await plane.store.usage.summarize(range(plane, query), ['tag', 'userId']);
        const add = (parts: readonly UsageSummary[], pick: (sum: UsageSummary) => number) =>
          parts.reduce((total, sum) => total + pick(sum), 0);
        return {
          results: [...grouped(sums, (sum) => sum.group.tag ?? '')].map(([name, parts]) => ({
            tag: name,
            unique_users: usersIn(parts),
            total_requests: add(parts, (sum) => sum.requests),
            successful_requests: add(parts, (sum) => sum.successes),
            failed_requests: add(parts, (sum) => sum.failures),
            total_tokens: add(parts, (sum) => sum.inputTokens + sum.outputTokens),
            total_spend: dollarsFromNanodollars(add(parts, (sum) => sum.cost)),
          })),
        };
      },
    }),
    ...(
      [
        ['dau', 'day', 1],
        ['wau', 'week', 7],
        ['mau', 'month', 30],
      ] as const
    ).map(([name, period, days]) =>
      endpoint(`GET /tag/${name}`, {
        ...reader,
        summary: `Users active in the last ${period === 'day' ? 'days, by day' : `seven ${period}s, by ${period}`}, for each tag.`,
        query: z.object({ tag_filter: z.string().optional() }),
        response: z.object({
          results: z.array(z.object({ tag: z.string(), active_users: z.number(), date: z.string() })),
        }),
        async run({ query }) {
          await plane.ledger.flush();
          const end = (Math.floor(plane.clock.now() / dayMs) + 1) * dayMs;
          const from = end - 7 * days * dayMs;
          const filter = { from, to: end, ...(query.tag_filter === undefined ? {} : { tag: query.tag_filter }) };
          const sums = await plane.store.usage.summarize(filter, ['day', 'tag', 'userId']);
          const periods = grouped(sums, (sum) => {
            const back = Math.floor((end - 1 - Date.parse(`${sum.group.day}T00:00:00Z`)) / (days * dayMs));
            const start = new Date(end - (back + 1) * days * dayMs).toISOString().slice(0, 10);
            return `${start} ${sum.group.tag ?? ''}`;
          });
          return {
            results: [...periods]
              .map(([key, parts]) => ({ tag: key.slice(11), active_users: usersIn(parts), date: key.slice(0, 10) }))
              .sort((one, other) => (one.date < other.date ? 1 : -1)),
          };
        },
      }),
    ),
  ];
}

function usersIn(sums: readonly UsageSummary[]): number {
  return new Set(sums.flatMap((sum) => sum.group.userId ?? [])).size;
}

import { z } from 'zod';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { keyIdOf } from '../../admin/key.ts';
import type { UsageDimension, UsageFilter, UsageSummary } from '../../core/store.ts';
import { identifier } from './fields.ts';
import { grouped, range, total } from './global-spend.ts';

const spendOfModel = z.object({ model: z.string(), spend: z.number(), total_tokens: z.number(), api_key: z.string() });
const entry = z.object({
  team_name: z.string().optional(),
  customer: z.string().optional(),
  api_key: z.string().optional(),
  total_spend: z.number(),
  metadata: z.array(spendOfModel),
});

/** How each `group_by` is told: the list's name, the entry's name, and what it sums over. */
const groupings = {
  team: { list: 'teams', name: 'team_name', dimension: 'teamId' },
  customer: { list: 'customers', name: 'customer', dimension: 'endUserId' },
  api_key: { list: 'api_keys', name: 'api_key', dimension: 'keyId' },
} as const satisfies Record<string, { list: string; name: string; dimension: UsageDimension }>;

export function spendReportEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /global/spend/report', {
      access: 'admin_read',
      group: 'spend_tracking_routes',
      tag: 'spend',
      summary: 'Spend a day by team, customer or key, with the models it went to.',
      query: z.object({
        start_date: z.string(),
        end_date: z.string(),
        group_by: z.enum(['team', 'customer', 'api_key']).default('team'),
        api_key: z.string().max(512).optional(),
        team_id: identifier.optional(),
        customer_id: identifier.optional(),
        internal_user_id: identifier.optional(),
      }),
      response: z.array(
        z.object({
          group_by_day: z.string(),
          teams: z.array(entry).optional(),
          customers: z.array(entry).optional(),
          api_keys: z.array(entry).optional(),
        }),
      ),
      async run({ query }) {
        await plane.ledger.flush();
        const { list, name, dimension } = groupings[query.group_by];
        const filter: UsageFilter = {
          ...range(plane, query),
          ...(query.api_key === undefined ? {} : { keyId: keyIdOf(query.api_key) }),
          ...(query.team_id === undefined ? {} : { teamId: query.team_id }),
          ...(query.customer_id === undefined ? {} : { endUserId: query.customer_id }),
          ...(query.internal_user_id === undefined ? {} : { userId: query.internal_user_id }),
        };
        const by: UsageDimension[] = [...new Set(['day', dimension, 'modelUsed', 'keyId'] as const)];
        const sums = await plane.store.usage.summarize(filter, by);
        const names = await shownNames(plane, query.group_by, sums);
        return [...grouped(sums, (sum) => sum.group.day ?? '')].map(([day, ofDay]) => ({
          group_by_day: day,
          [list]: [...grouped(ofDay, (sum) => sum.group[dimension] ?? '')].map(([id, ofGroup]) => ({
            [name]: names.get(id) ?? id,
            total_spend: total(ofGroup),
            metadata: ofGroup.map((sum) => ({
              model: sum.group.modelUsed ?? '',
              spend: total([sum]),
              total_tokens: sum.inputTokens + sum.outputTokens,
              api_key: sum.group.keyId ?? '',
            })),
          })),
        }));
      },
    }),
  ];
}

async function shownNames(
  plane: ControlPlane,
  by: keyof typeof groupings,
  sums: readonly UsageSummary[],
): Promise<ReadonlyMap<string, string>> {
  if (by !== 'team') return new Map();
  const ids = [...new Set(sums.flatMap((sum) => sum.group.teamId ?? []))];
  const teams = ids.length === 0 ? [] : await plane.store.teams.many(ids);
  return new Map([['', 'Unassigned'], ...teams.map((team) => [team.id, team.alias ?? team.id] as const)]);
}

import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { UsageMeasures } from '../../core/store.ts';
import type { Endpoint } from '../contract.ts';
import { Answer, endpoint } from '../contract.ts';
import type { ControlPlane } from '../control-plane.ts';
import { csv, markdownTable } from '../csv.ts';
import { usageDimensions } from './dimensions.ts';
import { shownNames } from './names.ts';

const subjects = ['team', 'key', 'user', 'organization', 'end_user', 'tag'] as const;
type Subject = (typeof subjects)[number];

interface ChargedRow {
  readonly id: string | null;
  readonly name: string;
  readonly model: string;
  readonly provider: string;
  readonly measures: UsageMeasures;
}

/** What each team (or key, user …) is to pay for a month. */
export function chargebackEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /usage/chargeback', {
      access: 'admin_read',
      group: 'spend_tracking_routes',
      tag: 'usage',
      summary: 'Cost of a month by team, key, user, organization, end user or tag, with the models it went to.',
      query: z.object({
        month: z
          .string()
          .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'expected a month such as 2026-11')
          .optional()
          .describe('in UTC; the one that is running by default'),
        by: z.enum(subjects).default('team'),
        format: z.enum(['json', 'csv', 'markdown']).default('json'),
      }),
      response: z.object({
        month: z.string(),
        by: z.enum(subjects),
        complete: z.boolean().describe('false while the month is running'),
        total: z.number(),
        rows: z.array(
          z.object({
            id: z.string().nullable(),
            name: z.string(),
            requests: z.number(),
            input_tokens: z.number(),
            output_tokens: z.number(),
            cost: z.number(),
            share: z.number().describe('of the total, 0 to 1'),
            models: z.array(
              z.object({ model: z.string(), provider: z.string(), requests: z.number(), cost: z.number() }),
            ),
          }),
        ),
      }),
      async run({ query }) {
        await plane.ledger.flush();
        const now = plane.clock.now();
        const month = query.month ?? new Date(now).toISOString().slice(0, 7);
        const rows = await charged(plane, month, query.by);
        if (query.format === 'json') return told(month, query.by, rows, now);
        if (query.format === 'csv') return new Answer(200, csvOf(month, query.by, rows), 'text/csv; charset=utf-8');
        return new Answer(200, markdownOf(month, query.by, rows, now), 'text/markdown; charset=utf-8');
      },
    }),
  ];
}

function startOf(month: string, ahead = 0): number {
  return Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)) - 1 + ahead, 1);
}

async function charged(plane: ControlPlane, month: string, by: Subject): Promise<ChargedRow[]> {
  const { dimension } = usageDimensions[by];
  const range = { from: startOf(month), to: startOf(month, 1) };
  const measures = await plane.store.usage.measure(range, [dimension, 'modelGroup', 'provider']);
  if (measures === null) throw new GatewayError('internal', 'sums of whole months are always kept');
  const ids = [...new Set(measures.flatMap(({ group }) => group[dimension] ?? []))];
  const known = await shownNames(plane, { [by]: ids });
  const nameOf = (id: string) =>
    by === 'key' || by === 'team' || by === 'organization' ? known[by].get(id) : undefined;
  return measures
    .filter(({ cost, successes }) => cost > 0 || successes > 0)
    .map((one) => {
      const id = one.group[dimension] ?? null;
      return {
        id,
        name: id === null ? 'unassigned' : (nameOf(id) ?? id),
        model: one.group.modelGroup ?? 'none',
        provider: one.group.provider ?? (one.cacheHits > 0 ? 'cache' : 'none'),
        measures: one,
      };
    });
}

function grouped(rows: readonly ChargedRow[]) {
  const groups = new Map<string | null, ChargedRow[]>();
  for (const row of rows) groups.set(row.id, [...(groups.get(row.id) ?? []), row]);
  return [...groups.values()]
    .map((parts) => {
      const add = (pick: (measures: UsageMeasures) => number) =>
        parts.reduce((sum, { measures }) => sum + pick(measures), 0);
      return {
        id: parts[0]!.id,
        name: parts[0]!.name,
        requests: add(({ requests }) => requests),
        inputTokens: add(({ inputTokens }) => inputTokens),
        outputTokens: add(({ outputTokens }) => outputTokens),
        cost: add(({ cost }) => cost),
        parts: parts.sort((one, other) => other.measures.cost - one.measures.cost),
      };
    })
    .sort((one, other) => other.cost - one.cost);
}

function told(month: string, by: Subject, rows: readonly ChargedRow[], now: number) {
  const groups = grouped(rows);
  const total = groups.reduce((sum, { cost }) => sum + cost, 0);
  return {
    month,
    by,
    complete: startOf(month, 1) <= now,
    total: dollarsFromNanodollars(total),
    rows: groups.map((group) => ({
      id: group.id,
      name: group.name,
      requests: group.requests,
      input_tokens: group.inputTokens,
      output_tokens: group.outputTokens,
      cost: dollarsFromNanodollars(group.cost),
      share: total === 0 ? 0 : group.cost / total,
      models: group.parts.map(({ model, provider, measures }) => ({
        model,
        provider,
        requests: measures.requests,
        cost: dollarsFromNanodollars(measures.cost),
      })),
    })),
  };
}

function csvOf(month: string, by: Subject, rows: readonly ChargedRow[]): string {
  return csv(
    ['month', by, 'name', 'model', 'provider', 'requests', 'input_tokens', 'output_tokens', 'cost_usd'],
    grouped(rows).flatMap(({ parts }) =>
      parts.map(({ id, name, model, provider, measures }) => [
        month,
        id,
        name,
        model,
        provider,
        measures.requests,
        measures.inputTokens,
        measures.outputTokens,
        dollarsFromNanodollars(measures.cost),
      ]),
    ),
  );
}

function markdownOf(month: string, by: Subject, rows: readonly ChargedRow[], now: number): string {
  const { total, complete, rows: groups } = told(month, by, rows, now);
  const cents = (amount: number) => amount.toFixed(amount !== 0 && Math.abs(amount) < 0.01 ? 6 : 2);
  const running = complete ? '' : ', so far';
  const summary = markdownTable(
    [by, 'requests', 'tokens in', 'tokens out', 'US dollars', 'share'],
    groups.map((one) => [
      one.name,
      one.requests,
      one.input_tokens,
      one.output_tokens,
      cents(one.cost),
      `${(one.share * 100).toFixed(1)} %`,
    ]),
  );
  const models = markdownTable(
    [by, 'model', 'provider', 'requests', 'US dollars'],
    groups.flatMap((one) =>
      one.models.map((part) => [one.name, part.model, part.provider, part.requests, cents(part.cost)]),
    ),
  );
  return `# Chargeback ${month} by ${by.replace('_', ' ')}${running}\n\nTotal: ${cents(total)} US dollars.\n\n${summary}\n## By model\n\n${models}`;
}

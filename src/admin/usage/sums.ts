import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { UsageDimension, UsageFilter, UsageMeasures } from '../../core/store.ts';
import type { Endpoint } from '../contract.ts';
import { Answer, endpoint } from '../contract.ts';
import type { ControlPlane } from '../control-plane.ts';
import { type Cell, csv } from '../csv.ts';
import { type DimensionName, dimensionNames, usageDimensions } from './dimensions.ts';
import { filterFields, filterOf, rangeOf, type TimeRange } from './filter.ts';
import { measuresOutput, merged, shownMeasures } from './measures.ts';
import { shownNames } from './names.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const rowsMax = 10_000;

const buckets = ['hour', 'day', 'month', 'none'] as const;
type Bucket = (typeof buckets)[number];

const query = z.object({
  ...filterFields,
  bucket: z
    .enum(buckets)
    .default('none')
    .describe('hours are kept for the last 24 hours at least; days and months in UTC'),
  group_by: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(`comma list of ${dimensionNames.join(', ')}`),
  format: z.enum(['json', 'csv']).default('json'),
  limit: z.coerce.number().int().min(1).max(rowsMax).default(1_000),
});

const text = z.string().nullable().optional();
const row = z.object({
  bucket: z.string().optional(),
  ...Object.fromEntries(dimensionNames.map((name) => [name, text])),
  key_alias: text,
  team_alias: text,
  organization_alias: text,
  ...measuresOutput,
});

/** One question for all sums: what was used, what it cost, how long it took, by whatever it is asked. */
export function usageSumEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /usage', {
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag: 'usage',
      summary:
        'Requests, tokens, cost and times, filtered, grouped and bucketed, from sums that are kept as requests come. Administrators see everything, others what is theirs.',
      query,
      response: z.object({
        from: z.string().describe('start of the time that was summed: whole hours or days'),
        to: z.string(),
        bucket: z.enum(buckets),
        group_by: z.array(z.string()),
        rows: z.array(row),
        rows_total: z.number(),
        totals: z.object(measuresOutput),
      }),
      async run({ actor, query: asked }) {
        await plane.ledger.flush();
        const names = groupNames(asked.group_by);
        const filter = await filterOf(plane, actor, asked);
        const range = rangeOf(asked, plane.clock.now(), 30 * dayMs);
        const found = await measured(plane, filter, range, names, asked.bucket);
        const rows = await shownRows(plane, found.measures, names, asked.bucket);
        const kept = rows.slice(0, asked.limit);
        if (asked.format === 'csv') return new Answer(200, csvOf(kept, names, asked.bucket), 'text/csv; charset=utf-8');
        return {
          from: new Date(found.range.from).toISOString(),
          to: new Date(found.range.to).toISOString(),
          bucket: asked.bucket,
          group_by: names,
          rows: kept,
          rows_total: rows.length,
          totals: shownMeasures(merged(found.totals, {})),
        };
      },
    }),
  ];
}

function groupNames(given: string | readonly string[] | undefined): DimensionName[] {
  const names = [given ?? []].flat().flatMap((part) => part.split(','));
  const wanted = [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))];
  const unknown = wanted.find((name) => !dimensionNames.includes(name as DimensionName));
  if (unknown === undefined) return wanted as DimensionName[];
  throw new GatewayError(
    'malformed_request',
    `group_by: '${unknown.slice(0, 64)}' is not known; expected ${dimensionNames.join(', ')}.`,
    { param: 'group_by' },
  );
}

/** Whole hours where those are kept, else whole days around the time asked for. */
async function measured(
  plane: ControlPlane,
  filter: UsageFilter,
  asked: TimeRange,
  names: readonly DimensionName[],
  bucket: Bucket,
): Promise<{ measures: UsageMeasures[]; totals: UsageMeasures[]; range: TimeRange }> {
  const by: UsageDimension[] = names.map((name) => usageDimensions[name].dimension);
  const time: UsageDimension[] = bucket === 'none' ? [] : [bucket === 'hour' ? 'hour' : 'day'];
  const perTag = names.includes('tag') || filter.tag !== undefined;
  for (const unit of bucket === 'hour' ? [hourMs] : [hourMs, dayMs]) {
    const range = around(asked, unit);
    const measures = await plane.store.usage.measure({ ...filter, ...range }, [...time, ...by]);
    if (measures === null) continue;
    // Grouped by tag a request counts under each of its tags: the total counts it once.
    const totals = perTag && filter.tag === undefined ? await totalsOf(plane, filter, range) : measures;
    return { measures: bucket === 'month' ? byMonth(measures) : measures, totals, range };
  }
  if (perTag && (names.includes('end_user') || filter.endUserId !== undefined)) {
    throw new GatewayError('malformed_request', 'Sums are kept by tag and by end user, but not by both at once.', {
      param: 'group_by',
    });
  }
  throw new GatewayError(
    'malformed_request',
    'Hours are kept for the last 24 hours at least, and not by tag or end user: ask for bucket=day.',
    { param: 'bucket' },
  );
}

async function totalsOf(plane: ControlPlane, filter: UsageFilter, range: TimeRange): Promise<UsageMeasures[]> {
  return (await plane.store.usage.measure({ ...filter, ...range }, [])) ?? [];
}

function around({ from, to }: TimeRange, unit: number): TimeRange {
  return { from: Math.floor(from / unit) * unit, to: Math.ceil(to / unit) * unit };
}

function byMonth(measures: readonly UsageMeasures[]): UsageMeasures[] {
  const months = new Map<string, UsageMeasures[]>();
  for (const one of measures) {
    const group = { ...one.group, day: one.group.day?.slice(0, 7) ?? null };
    const id = JSON.stringify(group);
    months.set(id, [...(months.get(id) ?? []), { ...one, group }]);
  }
  return [...months.values()].map((parts) => merged(parts, parts[0]!.group));
}

type ShownRow = Record<string, unknown> & ReturnType<typeof shownMeasures>;

/** In order of time, the dearest first within one bucket. */
async function shownRows(
  plane: ControlPlane,
  measures: readonly UsageMeasures[],
  names: readonly DimensionName[],
  bucket: Bucket,
): Promise<ShownRow[]> {
  const ids = (name: DimensionName) =>
    names.includes(name)
      ? [...new Set(measures.flatMap(({ group }) => group[usageDimensions[name].dimension] ?? []))]
      : undefined;
  const known = await shownNames(plane, { key: ids('key'), team: ids('team'), organization: ids('organization') });
  const rows = measures.map((one): ShownRow => {
    const group: Record<string, unknown> = bucket === 'none' ? {} : { bucket: one.group.hour ?? one.group.day };
    for (const name of names) {
      const id = one.group[usageDimensions[name].dimension] ?? null;
      group[name] = id;
      if (name === 'key' || name === 'team' || name === 'organization') {
        group[`${name}_alias`] = id === null ? null : (known[name].get(id) ?? null);
      }
    }
    return { ...group, ...shownMeasures(one) };
  });
  const time = (one: ShownRow) => String(one.bucket ?? '');
  return rows.sort((one, other) =>
    time(one) === time(other)
      ? other.cost - one.cost || other.requests - one.requests
      : time(one) < time(other)
        ? -1
        : 1,
  );
}

const times = ['p50', 'p90', 'p95', 'p99'] as const;

function csvOf(rows: readonly ShownRow[], names: readonly DimensionName[], bucket: Bucket): string {
  const groups = [
    ...(bucket === 'none' ? [] : ['bucket']),
    ...names.flatMap((name) => (['key', 'team', 'organization'].includes(name) ? [name, `${name}_alias`] : [name])),
  ];
  const figures = Object.keys(measuresOutput).filter((name) => name !== 'latency_ms' && name !== 'first_token_ms');
  const timed = ['latency_ms', 'first_token_ms'] as const;
  return csv(
    [...groups, ...figures, ...timed.flatMap((name) => times.map((time) => name.replace('_ms', `_${time}_ms`)))],
    rows.map((one) => [
      ...[...groups, ...figures].map((name) => (one[name] ?? null) as Cell),
      ...timed.flatMap((name) => times.map((time) => one[name]?.[time] ?? null)),
    ]),
  );
}

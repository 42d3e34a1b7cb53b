import { createHash } from 'node:crypto';
import { latencyBinOf, latencyBins } from '../../core/latency-bins.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { columnName } from './columns.ts';
import { tokenFigures } from './usage-row.ts';

/*
 * Sums of requests, written together with their rows, so that questions need not read every request and stay answered when
 * the rows are deleted for age.
 *
 * What a sum is of (key, model, deployment, status …) is a series: written once, named by a hash of its parts, so that the
 * sums themselves are small. They stand by hour, where requests add to; by UTC day, where hours that are over are moved; and
 * by UTC day and name, for the tags and the end user of a request, which can be very many. What is asked of the whole gateway
 * is answered from totals, the same sums by hour and day without key, user, team and organization: few, however many keys
 * there are. What is asked of all keys or teams side by side, from the sums of owners, by day and week without model and
 * deployment, which are made when hours are moved.
 */

export const seriesDimensions = [
  'keyId',
  'userId',
  'teamId',
  'organizationId',
  'modelUsed',
  'modelGroup',
  'provider',
  'deploymentId',
  'path',
  'status',
] as const satisfies readonly (keyof RequestRecord)[];

/** Who asked: the first dimensions of a series, left out of a total's. */
const ownerDimensions = 4;

/** What the sums of owners know. */
export const ownerNames: ReadonlySet<string> = new Set([...seriesDimensions.slice(0, ownerDimensions), 'status']);

/** '' stands for null in a series. */
export const seriesColumns: readonly string[] = ['id', ...seriesDimensions.map(columnName)];

const plainFigures = [
  'requests',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost',
  'cache_hits',
  'attempts',
  'fallbacks',
  'duration_ms',
  'overhead_us',
] as const;

const bins = (letter: string) => Array.from({ length: latencyBins }, (_, bin) => `${letter}${bin}`);

/** Of answers that a provider worked on: until the end, and for streams until the first content. */
export const latencyColumns: readonly string[] = bins('l');
export const firstTokenColumns: readonly string[] = bins('t');
export const figureColumns: readonly string[] = [...plainFigures, ...latencyColumns, ...firstTokenColumns];

export const sumColumns: readonly string[] = ['start', 'series', ...figureColumns];
export const namedColumns: readonly string[] = ['kind', 'name', ...sumColumns];

/** Every process adds to totals of its own, so that many do not wait for one row. */
export const totalColumns: readonly string[] = ['start', 'series', 'shard', ...figureColumns];

export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
/** Seven days from the first of 1970 on, which was a Thursday. */
export const weekMs = 7 * dayMs;

export interface Rollup {
  /** Series that these sums are of, by id. */
  readonly series: ReadonlyMap<string, readonly unknown[]>;
  /** Values in the order of `sumColumns`. */
  readonly hours: readonly (readonly unknown[])[];
  /** Values in the order of `namedColumns`. */
  readonly named: readonly (readonly unknown[])[];
  /** Values in the order of `totalColumns`. */
  readonly totals: readonly (readonly unknown[])[];
}

/** What records add, one after another. */
export class RollupSums {
  readonly #series = new Map<string, readonly unknown[]>();
  readonly #hours = new Map<string, unknown[]>();
  readonly #named = new Map<string, unknown[]>();

  add(record: RequestRecord): void {
    const id = seriesOf(record, this.#series);
    const { startedAt } = record;
    const hour = startedAt - (startedAt % hourMs);
    add(this.#hours, `${hour} ${id}`, () => [hour, id], record);
    const { endUserId, tags } = record;
    if (endUserId === null && tags.length === 0) return;
    const day = startedAt - (startedAt % dayMs);
    const addNamed = (kind: string, name: string) =>
      add(this.#named, `${kind} ${name}\0${day} ${id}`, () => [kind, name, day, id], record);
    if (endUserId !== null && endUserId !== '') addNamed('end_user', endUserId);
    for (const tag of new Set(tags)) if (tag !== '') addNamed('tag', tag);
  }

  /** `shard` is the process's own. */
  rollup(shard: number): Rollup {
    const series = new Map(this.#series);
    const totals = totalsOf(this.#hours, series, shard);
    return { series, hours: inOrder(this.#hours), named: inOrder(this.#named), totals: inOrder(totals) };
  }
}

/** The sums without who asked; their series are put among the others. */
function totalsOf(
  hours: ReadonlyMap<string, unknown[]>,
  series: Map<string, readonly unknown[]>,
  shard: number,
): Map<string, unknown[]> {
  const totals = new Map<string, unknown[]>();
  for (const sums of hours.values()) {
    const [hour, id] = sums as [number, string];
    const total = totalSeriesOf(series.get(id)!);
    const totalId = total[0] as string;
    series.set(totalId, total);
    const key = `${hour} ${totalId}`;
    const known = totals.get(key) as number[] | undefined;
    if (known === undefined) totals.set(key, [hour, totalId, shard, ...sums.slice(2)]);
    else for (let at = 2; at < sums.length; at++) known[at + 1]! += sums[at] as number;
  }
  return totals;
}

const totalSeries = new WeakMap<readonly unknown[], readonly unknown[]>();

function totalSeriesOf(values: readonly unknown[]): readonly unknown[] {
  let total = totalSeries.get(values);
  if (total === undefined) {
    total = seriesValues(withoutOwner(values.slice(1) as string[]));
    totalSeries.set(values, total);
  }
  return total;
}

/** The parts of a series as those of its total. */
export function withoutOwner(parts: readonly string[]): string[] {
  return parts.map((part, index) => (index < ownerDimensions ? '' : part));
}

/** The series of whoever asked, whatever for; these are the parts of one that says more. */
export function ownersOf(parts: readonly string[]): readonly unknown[] {
  return seriesValues(parts.map((part, index) => (ownerNames.has(seriesDimensions[index]!) ? part : '')));
}

/** So that two writers take their row locks in one order. */
function inOrder(sums: ReadonlyMap<string, unknown[]>): unknown[][] {
  if (sums.size < 2) return [...sums.values()];
  return [...sums].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, values]) => values);
}

const rememberedMax = 10_000;
const remembered = new Map<string, readonly unknown[]>();

let lastRecord: RequestRecord | null = null;
let lastSeries: readonly unknown[] = [];

function seriesOf(record: RequestRecord, into: Map<string, readonly unknown[]>): string {
  if (lastRecord === null || !isOfSeries(record, lastRecord)) lastSeries = lookedUp(record);
  lastRecord = record;
  const id = lastSeries[0] as string;
  into.set(id, lastSeries);
  return id;
}

/** Neighbours are often alike. */
function isOfSeries(one: RequestRecord, other: RequestRecord): boolean {
  return (
    one.keyId === other.keyId &&
    one.userId === other.userId &&
    one.teamId === other.teamId &&
    one.organizationId === other.organizationId &&
    one.modelUsed === other.modelUsed &&
    one.modelGroup === other.modelGroup &&
    one.provider === other.provider &&
    one.deploymentId === other.deploymentId &&
    one.path === other.path &&
    one.status === other.status
  );
}

function lookedUp(record: RequestRecord): readonly unknown[] {
  const text = `${record.keyId ?? ''}\0${record.userId ?? ''}\0${record.teamId ?? ''}\0${record.organizationId ?? ''}\0${record.modelUsed ?? ''}\0${record.modelGroup ?? ''}\0${record.provider ?? ''}\0${record.deploymentId ?? ''}\0${record.path}\0${record.status}`;
  let values = remembered.get(text);
  if (values === undefined) {
    values = seriesValues(seriesDimensions.map((dimension) => record[dimension] ?? ''));
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(text, values);
  }
  return values;
}

/** Id and parts of a series; the id is the same in every process and database. */
export function seriesValues(parts: readonly string[]): readonly unknown[] {
  const id = createHash('sha256').update(parts.join('\0')).digest('base64url').slice(0, 22);
  return [id, ...parts];
}

function add(sums: Map<string, unknown[]>, key: string, identity: () => unknown[], record: RequestRecord): void {
  let sum = sums.get(key);
  let at: number;
  if (sum === undefined) {
    sum = identity();
    at = sum.length;
    for (const _ of figureColumns) sum.push(0);
    sums.set(key, sum);
  } else {
    at = sum.length - figureColumns.length;
  }
  const figures = sum as number[];
  const [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens] = tokenFigures(record.usage);
  const durationMs = Math.max(0, record.endedAt - record.startedAt);
  figures[at]! += 1;
  figures[at + 1]! += inputTokens;
  figures[at + 2]! += outputTokens;
  figures[at + 3]! += cacheReadTokens;
  figures[at + 4]! += cacheWriteTokens;
  figures[at + 5]! += record.cost;
  if (record.cacheHit) figures[at + 6]! += 1;
  figures[at + 7]! += record.attempts.length;
  if (fellBack(record)) figures[at + 8]! += 1;
  figures[at + 9]! += durationMs;
  figures[at + 10]! += Math.round(Math.max(0, record.overheadMs || 0) * 1_000);
  if (record.status !== 'success' || record.attempts.length === 0) return;
  figures[at + plainFigures.length + latencyBinOf(durationMs)]! += 1;
  if (!record.stream || record.firstTokenAt === null) return;
  const firstTokenMs = record.firstTokenAt - record.startedAt;
  figures[at + plainFigures.length + latencyBins + latencyBinOf(firstTokenMs)]! += 1;
}

/** Another group answered than the one that was tried first. */
function fellBack({ attempts }: RequestRecord): boolean {
  return attempts.length > 1 && attempts[0]!.group !== attempts[attempts.length - 1]!.group;
}

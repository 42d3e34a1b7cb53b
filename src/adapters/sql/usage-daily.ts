import type { RequestRecord } from '../../core/request-record.ts';
import type { UsageDimension } from '../../core/store.ts';
import { columnName } from './columns.ts';
import { tokenFigures, utcDay } from './usage-row.ts';

/*
 * Sums per UTC day and dimensions, written together with the rows, so that spend questions need not read every request
 * and stay answered when the rows are deleted for age.
 *
 * One request adds to the row with tag '' and to one row for each of its tags. '' stands for null in the dimensions,
 * because a primary key holds no nulls.
 */

export const dailyDimensions = [
  'day',
  'tag',
  'keyId',
  'userId',
  'teamId',
  'organizationId',
  'endUserId',
  'modelUsed',
  'modelGroup',
  'provider',
  'deploymentId',
  'status',
  'path',
] as const satisfies readonly UsageDimension[];

export const dailyFigures = [
  'requests',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost',
] as const;

export const dailyDimensionColumns: readonly string[] = dailyDimensions.map(columnName);

/** The figures that these records add, as values of the dimension columns followed by the figures. */
export function dailySums(records: readonly RequestRecord[]): unknown[][] {
  const sums = new Map<string, unknown[]>();
  for (const record of records) {
    add(sums, record, '');
    for (const tag of new Set(record.tags)) if (tag !== '') add(sums, record, tag);
  }
  // Sorted, so that two writers take their row locks in one order.
  return [...sums].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, values]) => values);
}

function add(sums: Map<string, unknown[]>, record: RequestRecord, tag: string): void {
  const [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens] = tokenFigures(record.usage);
  const day = utcDay(record.startedAt);
  // Looked up by text for every record; the list is made once per sum.
  const key = `${day}\0${tag}\0${record.keyId ?? ''}\0${record.userId ?? ''}\0${record.teamId ?? ''}\0${record.organizationId ?? ''}\0${record.endUserId ?? ''}\0${record.modelUsed ?? ''}\0${record.modelGroup ?? ''}\0${record.provider ?? ''}\0${record.deploymentId ?? ''}\0${record.status}\0${record.path}`;
  let sum = sums.get(key);
  if (sum === undefined) {
    sum = [
      day,
      tag,
      record.keyId ?? '',
      record.userId ?? '',
      record.teamId ?? '',
      record.organizationId ?? '',
      record.endUserId ?? '',
      record.modelUsed ?? '',
      record.modelGroup ?? '',
      record.provider ?? '',
      record.deploymentId ?? '',
      record.status,
      record.path,
      ...dailyFigures.map(() => 0),
    ];
    sums.set(key, sum);
  }
  addTo(sum, 0, 1);
  addTo(sum, 1, inputTokens);
  addTo(sum, 2, outputTokens);
  addTo(sum, 3, cacheReadTokens);
  addTo(sum, 4, cacheWriteTokens);
  addTo(sum, 5, record.cost);
}

/** `figure` is the place in `dailyFigures`. */
function addTo(sum: unknown[], figure: number, amount: number): void {
  const at = dailyDimensions.length + figure;
  sum[at] = (sum[at] as number) + amount;
}

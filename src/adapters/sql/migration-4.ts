import type { CreateTableBuilder, Kysely } from 'kysely';
import { sql } from 'kysely';
import { BulkInsert } from './bulk-insert.ts';
import type { SqlRow } from './columns.ts';
import { columnName, wholeNumber } from './columns.ts';
import type { Database } from './engine.ts';
import type { TableWords } from './migration-1.ts';
import {
  dayMs,
  figureColumns,
  firstTokenColumns,
  latencyColumns,
  namedColumns,
  seriesColumns,
  seriesDimensions,
  seriesValues,
  sumColumns,
} from './usage-rollup.ts';

/** Sums by hour and day with latencies in the place of those by day. */
export async function createRollups(database: Kysely<Database>, { text }: TableWords): Promise<void> {
  let series = database.schema.createTable('usage_series');
  for (const name of seriesColumns) series = series.addColumn(name, text, (column) => column.notNull());
  await series.addPrimaryKeyConstraint('usage_series_primary_key', ['id'] as never).execute();

  const counts = new Set([...latencyColumns, ...firstTokenColumns]);
  const withSums = <Creation extends CreateTableBuilder<string, string>>(creation: Creation): Creation => {
    let sums = creation
      .addColumn('start', 'bigint', (column) => column.notNull())
      .addColumn('series', text, (column) => column.notNull()) as CreateTableBuilder<string, string>;
    for (const name of figureColumns) {
      sums = sums.addColumn(name, counts.has(name) ? 'integer' : 'bigint', (column) => column.notNull());
    }
    return sums as Creation;
  };
  for (const name of ['usage_hours', 'usage_days']) {
    await withSums(database.schema.createTable(name))
      .addPrimaryKeyConstraint(`${name}_primary_key`, ['start', 'series'] as never)
      .execute();
  }
  const named = database.schema
    .createTable('usage_named')
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull());
  await withSums(named)
    .addPrimaryKeyConstraint('usage_named_primary_key', ['kind', 'name', 'start', 'series'] as never)
    .execute();
  await database.schema.createIndex('usage_named_by_start').on('usage_named').columns(['kind', 'start']).execute();

  await moveDaily(database);
  await database.schema.dropTable('usage_daily').execute();
}

const dailyFigures = ['requests', 'input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cost'];

/** A day at a time. */
async function moveDaily(database: Kysely<Database>): Promise<void> {
  const days = await database.selectFrom('usage_daily').select('day').distinct().execute();
  for (const { day } of days) {
    const start = Date.parse(`${String(day)}T00:00:00Z`);
    const columns = seriesDimensions.map(columnName);
    const sums = (group: readonly string[], where: ReturnType<typeof sql<boolean>>) =>
      database
        .selectFrom('usage_daily')
        .select(group as never)
        .select(dailyFigures.map((figure) => sql<number>`sum(${sql.ref(figure)})`.as(figure)) as never)
        .where('day', '=', day)
        .where(where)
        .groupBy(group as never)
        .execute() as Promise<SqlRow[]>;
    const base = await sums(columns, sql<boolean>`tag = ''`);
    await addSums(database, 'usage_days', start - (start % dayMs), base, () => []);
    const tags = await sums(['tag', ...columns], sql<boolean>`tag <> ''`);
    await addSums(database, 'usage_named', start, tags, (row) => ['tag', row.tag]);
    const endUsers = await sums(['end_user_id', ...columns], sql<boolean>`tag = '' and end_user_id <> ''`);
    await addSums(database, 'usage_named', start, endUsers, (row) => ['end_user', row.end_user_id]);
  }
}

async function addSums(
  database: Kysely<Database>,
  table: 'usage_days' | 'usage_named',
  start: number,
  rows: readonly SqlRow[],
  name: (row: SqlRow) => unknown[],
): Promise<void> {
  const series = rows.map((row) => seriesValues(seriesDimensions.map((one) => String(row[columnName(one)]))));
  await seriesInsert.run(database, series);
  const insert = new BulkInsert(table, table === 'usage_days' ? sumColumns : namedColumns, (one) => one);
  await insert.run(
    database,
    rows.map((row, index) => [
      ...name(row),
      start,
      series[index]![0],
      ...figureColumns.map((figure) => wholeNumber(row[figure])),
    ]),
  );
}

const seriesInsert = new BulkInsert('usage_series', seriesColumns, (insert) =>
  insert.onConflict((conflict) => conflict.column('id').doNothing()),
);

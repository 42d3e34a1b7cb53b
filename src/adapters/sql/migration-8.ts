import type { CreateTableBuilder, Kysely } from 'kysely';
import { sql } from 'kysely';
import { BulkInsert } from './bulk-insert.ts';
import { columnName } from './columns.ts';
import type { Database } from './engine.ts';
import type { TableWords } from './migration-1.ts';
import { figureColumns, seriesColumns, seriesDimensions, seriesValues, withoutOwner } from './usage-rollup.ts';

/** Sums of the whole gateway, filled from those of its keys; and what a search for the rare request goes by. */
export async function createTotals(database: Kysely<Database>, { text, usageByMonth }: TableWords): Promise<void> {
  for (const name of ['usage_total_hours', 'usage_total_days']) {
    let table = database.schema
      .createTable(name)
      .addColumn('start', 'bigint', (column) => column.notNull())
      .addColumn('series', text, (column) => column.notNull())
      .addColumn('shard', 'integer', (column) => column.notNull()) as CreateTableBuilder<string, string>;
    for (const figure of figureColumns) table = table.addColumn(figure, 'bigint', (column) => column.notNull());
    await table.addPrimaryKeyConstraint(`${name}_primary_key`, ['start', 'series', 'shard'] as never).execute();
  }
  await fillTotals(database);

  // Every request pays for it: worth it where there are very many.
  if (usageByMonth) {
    await database.schema
      .createIndex('usage_by_model_used')
      .on('usage')
      .columns(['model_used', 'started_at'])
      .execute();
  }
  await database.schema
    .createIndex('usage_by_status')
    .on('usage')
    .columns(['status', 'started_at'])
    .where(sql.ref('status'), '<>', sql.lit('success'))
    .execute();
  await database.schema
    .createIndex('usage_by_error_code')
    .on('usage')
    .columns(['error_code', 'started_at'])
    .where('error_code', 'is not', null)
    .execute();
}

const partColumns = seriesDimensions.map(columnName);

async function fillTotals(database: Kysely<Database>): Promise<void> {
  const known = await database
    .selectFrom('usage_series')
    .select(partColumns as never)
    .distinct()
    .execute();
  const totals = new Map<string, string[]>();
  for (const row of known as Record<string, unknown>[]) {
    const parts = withoutOwner(partColumns.map((column) => String(row[column])));
    totals.set(parts.join('\0'), parts);
  }
  for (const parts of totals.values()) {
    const values = seriesValues(parts);
    await seriesInsert.run(database, [values]);
    const isOfTotal = sql.join(
      partColumns
        .map((column, index) => [column, parts[index]!] as const)
        .slice(-partsOfTotal)
        .map(([column, part]) => sql`${sql.ref(`series.${column}`)} = ${part}`),
      sql` and `,
    );
    for (const length of ['hours', 'days']) {
      await sql`
        insert into ${sql.table(`usage_total_${length}`)} (start, series, shard, ${sql.join(figureColumns.map((figure) => sql.ref(figure)))})
        select sums.start, ${values[0]}, 0, ${sql.join(figureColumns.map((figure) => sql`sum(${sql.ref(`sums.${figure}`)})`))}
        from ${sql.table(`usage_${length}`)} as sums
        join usage_series as series on series.id = sums.series
        where ${isOfTotal} group by sums.start`.execute(database);
    }
  }
}

/** The others say who asked. */
const partsOfTotal = withoutOwner(partColumns).filter((part) => part !== '').length;

const seriesInsert = new BulkInsert('usage_series', seriesColumns, (insert) =>
  insert.onConflict((conflict) => conflict.column('id').doNothing()),
);

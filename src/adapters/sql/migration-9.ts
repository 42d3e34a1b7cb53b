import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { BulkInsert } from './bulk-insert.ts';
import { columnName } from './columns.ts';
import type { Database } from './engine.ts';
import type { TableWords } from './migration-1.ts';
import { dayMs, figureColumns, ownersOf, seriesColumns, seriesDimensions, weekMs } from './usage-rollup.ts';

/** Sums of owners alone, by the day and the week, filled from those by day; and a place for hours whose days have them already. */
export async function createOwnerSums(database: Kysely<Database>, { text }: TableWords): Promise<void> {
  for (const name of ['usage_past_hours', 'usage_owner_days', 'usage_owner_weeks']) {
    let table = database.schema
      .createTable(name)
      .addColumn('start', 'bigint', (column) => column.notNull())
      .addColumn('series', text, (column) => column.notNull());
    for (const figure of figureColumns) table = table.addColumn(figure, 'bigint', (column) => column.notNull());
    await table.addPrimaryKeyConstraint(`${name}_primary_key`, ['start', 'series'] as never).execute();
  }
  await addOwners(database);
  await fill(database, 'usage_owner_days', dayMs);
  await fill(database, 'usage_owner_weeks', weekMs);
}

const ownerColumns = ['keyId', 'userId', 'teamId', 'organizationId', 'status'].map(columnName);
const partColumns = seriesDimensions.map(columnName);

const seriesInsert = new BulkInsert('usage_series', seriesColumns, (insert) =>
  insert.onConflict((conflict) => conflict.column('id').doNothing()),
);

async function addOwners(database: Kysely<Database>): Promise<void> {
  const known = await database
    .selectFrom('usage_series')
    .select(partColumns as never)
    .where('path', '<>', '')
    .distinct()
    .execute();
  const owners = new Map<string, readonly unknown[]>();
  for (const row of known as Record<string, unknown>[]) {
    const owner = ownersOf(partColumns.map((column) => String(row[column])));
    owners.set(owner[0] as string, owner);
  }
  await seriesInsert.run(database, [...owners.values()]);
}

/** Every request has a path, and no owner's series has one. */
async function fill(database: Kysely<Database>, table: string, lengthMs: number): Promise<void> {
  const isOwner = sql.join(
    ownerColumns.map((column) => sql`${sql.ref(`owner.${column}`)} = ${sql.ref(`series.${column}`)}`),
    sql` and `,
  );
  const figures = sql.join(figureColumns.map((figure) => sql.ref(figure)));
  const sums = sql.join(figureColumns.map((figure) => sql`sum(${sql.ref(`days.${figure}`)})`));
  await sql`
    insert into ${sql.table(table)} (start, series, ${figures})
    select days.start - days.start % ${sql.lit(lengthMs)}, owner.id, ${sums}
    from usage_days as days
    join usage_series as series on series.id = days.series
    join usage_series as owner on owner.path = '' and owner.model_used = '' and ${isOwner}
    group by 1, 2`.execute(database);
}

import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { SqlRow } from './columns.ts';
import type { Database } from './engine.ts';

/** Months since January 1970, in UTC. */
export type Month = number;

/** Tables that are kept by month of `started_at`. */
const tables = ['usage', 'usage_tags'] as const;

export function monthOf(time: number): Month {
  const date = new Date(time);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** Unix milliseconds of the first moment of a month. */
export function monthStart(month: Month): number {
  return Date.UTC(1970, month, 1);
}

/** `usage_2026_11`. */
function partitionName(table: string, month: Month): string {
  return `${table}_${new Date(monthStart(month)).toISOString().slice(0, 7).replace('-', '_')}`;
}

/**
 * Makes the tables of a month unless they are there. A table is made beside the others and then attached, which, unlike
 * making it in its place, does not keep anybody from reading and writing them meanwhile.
 */
export async function makeMonth(database: Kysely<Database>, month: Month): Promise<void> {
  for (const table of tables) {
    const name = partitionName(table, month);
    if (await exists(database, name)) continue;
    await database.transaction().execute(async (transaction) => {
      // Attaching takes this lock anyway; taken first, it makes those who come at the same time wait and then see it.
      await sql`lock table ${sql.table(table)} in share update exclusive mode`.execute(transaction);
      if (await exists(transaction, name)) return;
      await sql`create table ${sql.table(name)} (like ${sql.table(table)} including all)`.execute(transaction);
      await sql`alter table ${sql.table(table)} attach partition ${sql.table(name)}
        for values from (${sql.lit(monthStart(month))}) to (${sql.lit(monthStart(month + 1))})`.execute(transaction);
    });
  }
}

async function exists(database: Kysely<Database>, name: string): Promise<boolean> {
  const found = await sql<SqlRow>`select to_regclass(${`"${name}"`}) is not null as present`.execute(database);
  return found.rows[0]?.present === true;
}

export async function existingMonths(database: Kysely<Database>): Promise<Month[]> {
  const found = await sql<SqlRow>`
    select child.relname as name from pg_inherits
    join pg_class as child on child.oid = inhrelid
    where inhparent = to_regclass('usage') order by child.relname`.execute(database);
  return found.rows.flatMap(({ name }) => {
    const parts = /_(\d{4,})_(\d{2})$/.exec(name as string);
    return parts === null ? [] : [(Number(parts[1]) - 1970) * 12 + Number(parts[2]) - 1];
  });
}

/** Dropping takes the whole table for a moment. It waits one second for it at most, so that others do not queue behind. */
export async function dropMonth(database: Kysely<Database>, month: Month): Promise<void> {
  for (const table of [...tables].reverse()) {
    await database.transaction().execute(async (transaction) => {
      await sql`set local lock_timeout = '1s'`.execute(transaction);
      await sql`drop table if exists ${sql.table(partitionName(table, month))}`.execute(transaction);
    });
  }
}

import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import { StoreError } from '../../core/store.ts';
import { BulkInsert } from './bulk-insert.ts';
import type { SqlRow } from './columns.ts';
import { wholeNumber } from './columns.ts';
import type { CopiedTable } from './copied-tables.ts';
import { accountsCopied, copiedTables, usageTable } from './copied-tables.ts';
import type { Database, SqlEngine } from './engine.ts';

const pageRows = 1_024;

export interface CopyOptions {
  /** Deletes what the target holds; without it a target that is not empty is refused. */
  readonly replace: boolean;
  onProgress(table: string, rows: number, total: number): void;
}

export interface CopyReport {
  readonly rows: Readonly<Record<string, number>>;
  /** Sums over all accounts and requests, the same on both sides, in nano-dollars. */
  readonly spent: string;
  readonly leased: string;
  readonly cost: string;
}

/**
 * Copies a whole store in one transaction of the target, which keeps nothing when anything fails, from one state of the
 * source. Row counts, every balance and the sums of money are compared before the commit. Throws StoreError.
 */
export async function copyStore(from: SqlEngine, to: SqlEngine, options: CopyOptions): Promise<CopyReport> {
  if (!options.replace) await requireEmpty(to.reader);
  return from.snapshot(async (source) => {
    await to.usageRows.prepare(await firstStartOfEachMonth(source));
    return to.transaction(async (target) => {
      if (options.replace) await clear(target, to);
      else await requireEmpty(target);
      const rows: Record<string, number> = {};
      for (const table of copiedTables) rows[table.name] = await copyTable(source, target, to, table, options);
      await compareAccounts(source, target);
      return { rows, ...(await compareSums(source, target)) };
    });
  });
}

async function requireEmpty(target: Kysely<Database>): Promise<void> {
  const filled: string[] = [];
  for (const { name, isContent } of copiedTables) {
    if (!isContent) continue;
    const found = await target.selectFrom(name).select(sql<number>`1`.as('one')).limit(1).executeTakeFirst();
    if (found !== undefined) filled.push(name);
  }
  if (filled.length === 0) return;
  throw new StoreError(
    'locked',
    `The target is not empty: it holds ${filled.join(', ')}. Name an empty database, or replace what it holds with --force.`,
  );
}

async function clear(target: Transaction<Database>, to: SqlEngine): Promise<void> {
  for (const { name } of copiedTables) if (name !== usageTable.name) await target.deleteFrom(name).execute();
  await to.usageRows.clear(target);
}

async function copyTable(
  source: Kysely<Database>,
  target: Transaction<Database>,
  to: SqlEngine,
  table: CopiedTable,
  { onProgress }: CopyOptions,
): Promise<number> {
  const insert = new BulkInsert(table.name, table.columns, (statement) => statement);
  const total = await countRows(source, table);
  let copied = 0;
  for await (const page of pages(source, table)) {
    const values = page.map((row) => table.columns.map((column) => row[column]));
    if (table === usageTable) await to.usageRows.insert(target, values);
    else await insert.run(target, values);
    copied += page.length;
    onProgress(table.name, copied, total);
  }
  const there = await countRows(target, table);
  if (there !== total) throw differs(`${table.name} has ${total} rows here and ${there} there`);
  return total;
}

async function* pages(database: Kysely<Database>, table: CopiedTable): AsyncGenerator<SqlRow[]> {
  const key = sql.join(table.key.map((column) => sql.ref(column)));
  let last: SqlRow | undefined;
  for (;;) {
    let select = database.selectFrom(table.name).selectAll();
    if (last !== undefined) {
      const after = last;
      select = select.where(sql<boolean>`(${key}) > (${sql.join(table.key.map((column) => after[column]))})`);
    }
    for (const column of table.key) select = select.orderBy(column);
    const rows = (await select.limit(pageRows).execute()) as SqlRow[];
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) return;
    last = rows[rows.length - 1];
  }
}

async function countRows(database: Kysely<Database>, { name }: CopiedTable): Promise<number> {
  const counted = await database
    .selectFrom(name)
    .select((build) => build.fn.countAll().as('rows'))
    .executeTakeFirst();
  return wholeNumber(counted?.rows);
}

async function compareAccounts(source: Kysely<Database>, target: Kysely<Database>): Promise<void> {
  const theirs = pages(target, accountsCopied);
  for await (const page of pages(source, accountsCopied)) {
    const other = (await theirs.next()).value ?? [];
    for (const [index, row] of page.entries()) {
      const text = (account: SqlRow | undefined) =>
        accountsCopied.columns.map((column) => String(account?.[column] ?? null)).join(' ');
      if (text(row) !== text(other[index])) throw differs(`the balance of ${String(row.key)} is not the same on both`);
    }
  }
}

async function compareSums(
  source: Kysely<Database>,
  target: Kysely<Database>,
): Promise<Pick<CopyReport, 'spent' | 'leased' | 'cost'>> {
  const sum = async (table: string, column: string): Promise<string> => {
    // As text: the sum over all accounts may be more than a number holds exactly.
    const total = (database: Kysely<Database>) =>
      database
        .selectFrom(table)
        .select(sql<string>`cast(coalesce(sum(${sql.ref(column)}), 0) as text)`.as('total'))
        .executeTakeFirstOrThrow();
    const [here, there] = [(await total(source)).total, (await total(target)).total];
    if (here !== there) throw differs(`${column} in ${table} sums to ${String(here)} here and ${String(there)} there`);
    return String(here);
  };
  const [spent, leased] = [await sum('accounts', 'spent'), await sum('accounts', 'leased')];
  const sums = copiedTables.filter(({ name }) => /^usage_(.*hours|.*days|.*weeks|named)$/.test(name));
  for (const { name } of sums) await sum(name, 'cost');
  return { spent, leased, cost: await sum('usage', 'cost') };
}

function differs(what: string): StoreError {
  return new StoreError('unavailable', `The copy is not the same as the source: ${what}. Nothing was kept; try again.`);
}

/** One time in each month that has requests, so that the target can make room for them. */
async function firstStartOfEachMonth(source: Kysely<Database>): Promise<number[]> {
  const times: number[] = [];
  let from = 0;
  for (;;) {
    const found = await source
      .selectFrom('usage')
      .select((build) => build.fn.min('started_at').as('first'))
      .where('started_at', '>=', from)
      .executeTakeFirst();
    if (found?.first === null || found?.first === undefined) return times;
    const first = wholeNumber(found.first);
    times.push(first);
    const date = new Date(first);
    from = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  }
}

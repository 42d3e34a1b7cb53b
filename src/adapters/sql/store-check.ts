import type { Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import { wholeNumber } from './columns.ts';
import type { Database } from './engine.ts';
import { dayMs } from './usage-rollup.ts';

export interface CheckReport {
  readonly requests: number;
  readonly accounts: number;
  readonly leases: number;
  /** Nano-dollars over all requests on record, and those that are still held. */
  readonly cost: number;
  readonly held: number;
  /** In words; empty = the books balance. */
  readonly differences: readonly string[];
}

const differencesMax = 100;

/** Scopes whose spend the sums of requests tell, and the column of a series that names them. */
const scopeColumns = {
  key: 'key_id',
  user: 'user_id',
  team: 'team_id',
  organization: 'organization_id',
  provider: 'provider',
  deployment: 'deployment_id',
} as const;

/**
 * Do the books balance? `reader` sees one state of the database throughout. Compares what is held with the leases; the sums of each day with its
 * rows; the balances with the sums. Reads every row once.
 */
export async function checkBooks(reader: Kysely<Database>): Promise<CheckReport> {
  const differences: string[] = [];
  const differ = (text: string) => {
    if (differences.length < differencesMax) differences.push(text);
  };
  await compareLeases(reader, differ);
  const { requests, cost } = await compareDays(reader, differ);
  await compareOwners(reader, differ);
  await compareBalances(reader, differ);
  const [totals] = await rowsOf(
    reader,
    sql`select (select count(*) from accounts) as accounts, (select count(*) from leases) as leases,
               (select coalesce(sum(leased), 0) from accounts) as held`,
  );
  return {
    requests,
    cost,
    accounts: wholeNumber(totals!.accounts),
    leases: wholeNumber(totals!.leases),
    held: wholeNumber(totals!.held),
    differences,
  };
}

type Differ = (text: string) => void;

async function rowsOf(reader: Kysely<Database>, query: RawBuilder<unknown>): Promise<Record<string, unknown>[]> {
  return (await query.execute(reader)).rows as Record<string, unknown>[];
}

async function compareLeases(reader: Kysely<Database>, differ: Differ): Promise<void> {
  const wrong = await rowsOf(
    reader,
    sql`select accounts.key, accounts.leased, coalesce(lent.amount, 0) as amount
        from accounts left join (
          select key, window_start, sum(amount) as amount from leases where written_off = 0 group by key, window_start
        ) as lent on lent.key = accounts.key and lent.window_start = accounts.window_start
        where accounts.leased <> coalesce(lent.amount, 0)`,
  );
  for (const { key, leased, amount } of wrong) differ(`${key} has ${leased} held, its leases come to ${amount}`);
  const lost = await rowsOf(
    reader,
    sql`select leases.key, leases.amount from leases left join accounts
          on accounts.key = leases.key and accounts.window_start = leases.window_start
        where accounts.key is null and leases.amount > 0`,
  );
  for (const { key, amount } of lost) differ(`${amount} are leased from ${key}, which has no account`);
  const below = await rowsOf(reader, sql`select key, spent, leased from accounts where spent < 0 or leased < 0`);
  for (const { key, spent, leased } of below) differ(`${key} is below nothing: ${spent} spent, ${leased} held`);
}

async function compareDays(reader: Kysely<Database>, differ: Differ): Promise<{ requests: number; cost: number }> {
  const day = (column: string) => sql`${sql.ref(column)} - ${sql.ref(column)} % ${sql.lit(dayMs)}`;
  const rows = await rowsOf(
    reader,
    sql`select ${day('started_at')} as day, count(*) as requests, coalesce(sum(cost), 0) as cost
        from usage group by 1 order by 1`,
  );
  const sums = await rowsOf(
    reader,
    sql`select day, sum(requests) as requests, sum(cost) as cost from (
          select start as day, requests, cost from usage_days
          union all select ${day('start')} as day, requests, cost from usage_hours
        ) as sums group by day`,
  );
  const byDay = new Map(sums.map((sum) => [wholeNumber(sum.day), sum]));
  let requests = 0;
  let cost = 0;
  for (const [index, row] of rows.entries()) {
    const start = wholeNumber(row.day);
    const date = new Date(start).toISOString().slice(0, 10);
    for (const figure of ['requests', 'cost'] as const) {
      const [inRows, inSums] = [wholeNumber(row[figure]), wholeNumber(byDay.get(start)?.[figure] ?? 0)];
      // Rows are deleted for age, their sums are not: of the first day some may be gone.
      const isRight = index === 0 ? inRows <= inSums : inRows === inSums;
      if (!isRight) differ(`the ${figure} of ${date} come to ${inRows} by the rows, to ${inSums} by the sums`);
    }
    requests += wholeNumber(row.requests);
    cost += wholeNumber(row.cost);
  }
  const last = rows.length === 0 ? null : wholeNumber(rows[0]!.day);
  for (const start of byDay.keys()) {
    const isMissing = last !== null && start > last && !rows.some((row) => wholeNumber(row.day) === start);
    if (isMissing) differ(`there are sums and no rows of ${new Date(start).toISOString().slice(0, 10)}`);
  }
  return { requests, cost };
}

/** What was moved into days is in the sums of owners as well, and in no other. */
async function compareOwners(reader: Kysely<Database>, differ: Differ): Promise<void> {
  for (const table of ['usage_owner_days', 'usage_owner_weeks']) {
    const [sums] = await rowsOf(
      reader,
      sql`select (select coalesce(sum(requests), 0) from usage_days) as requests, (select coalesce(sum(cost), 0) from usage_days) as cost,
                 (select coalesce(sum(requests), 0) from ${sql.table(table)}) as own_requests,
                 (select coalesce(sum(cost), 0) from ${sql.table(table)}) as own_cost`,
    );
    for (const figure of ['requests', 'cost'] as const) {
      const [days, owners] = [wholeNumber(sums![figure]), wholeNumber(sums![`own_${figure}`])];
      if (days !== owners) differ(`the ${figure} of all days come to ${days}, in ${table} to ${owners}`);
    }
  }
}

/** Over all windows of an account: at most what its requests come to, less what was given back. It may have begun to count after them. */
async function compareBalances(reader: Kysely<Database>, differ: Differ): Promise<void> {
  const booked = await rowsOf(
    reader,
    sql`select accounts.key, accounts.scope, accounts.id, sum(accounts.spent - coalesce(gone.amount, 0)) as spent,
               coalesce(max(credited.amount), 0) as credited
        from accounts
        left join (select key, window_start, sum(amount) as amount from leases where written_off = 1 group by key, window_start)
          as gone on gone.key = accounts.key and gone.window_start = accounts.window_start
        left join (select key, sum(amount) as amount from adjustments group by key)
          as credited on credited.key = accounts.key
        where accounts.model = '' group by accounts.key, accounts.scope, accounts.id`,
  );
  for (const [scope, column] of Object.entries(scopeColumns)) {
    const sums = await rowsOf(
      reader,
      sql`select series.${sql.ref(column)} as id, sum(sums.cost) as cost from (
            select series, cost from usage_days union all select series, cost from usage_hours
          ) as sums join usage_series as series on series.id = sums.series group by 1`,
    );
    const costs = new Map(sums.map(({ id, cost }) => [String(id), wholeNumber(cost)]));
    for (const account of booked) {
      if (account.scope !== scope) continue;
      const most = (costs.get(String(account.id)) ?? 0) - wholeNumber(account.credited);
      const spent = wholeNumber(account.spent);
      if (spent > most) differ(`${account.key} has spent ${spent}, its requests less its credits come to ${most}`);
    }
  }
}

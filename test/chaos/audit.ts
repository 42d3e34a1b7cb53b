import { type InvoiceEntry, readInvoice } from '../fake-provider/invoice.ts';
import { billed } from './price.ts';
import type { Rig } from './rig.ts';

/*
 * Reads the store and the provider's invoice and compares: every dispatch has exactly one row, every row costs what it
 * must, and the sums of the rows are the balances, by whatever they are grouped.
 */

export interface Audit {
  readonly dispatches: number;
  readonly rows: number;
  /** Rows of requests whose end nobody saw: charged with their bound. */
  readonly unknown: number;
  readonly accounts: number;
  readonly dispatchesWithoutRow: number;
  readonly requestsWithTwoRows: number;
  /** What the provider bills, nano-dollars. */
  readonly invoiced: number;
  /** What the rows say, nano-dollars. */
  readonly recorded: number;
  readonly held: number;
  /** Every difference in words; empty = the books balance. */
  readonly differences: readonly string[];
}

interface UsageRow {
  readonly id: string;
  readonly key_id: string | null;
  readonly user_id: string | null;
  readonly team_id: string | null;
  readonly organization_id: string | null;
  readonly end_user_id: string | null;
  readonly model_group: string | null;
  readonly model_used: string | null;
  readonly deployment_id: string | null;
  readonly provider: string | null;
  readonly day: string;
  readonly status: string;
  readonly started_at: string;
  readonly ended_at: string;
  readonly input_tokens: string;
  readonly output_tokens: string;
  readonly cost: string;
  readonly attempts: number;
  /** For attempts whose end nobody saw. */
  readonly unclear: string;
  readonly tags: readonly string[] | null;
}

interface AccountRow {
  readonly key: string;
  readonly window_start: string;
  readonly scope: string;
  readonly id: string;
  readonly model: string;
  readonly cap: string | null;
  readonly spent: string;
  readonly leased: string;
  readonly out: string;
  readonly written_off: string;
  /** Given back by an administrator. */
  readonly credited: string;
}

const differencesMax = 50;

export async function audit(rig: Rig): Promise<Audit> {
  const differences: string[] = [];
  const differ = (text: string) => {
    if (differences.length < differencesMax) differences.push(text);
  };
  const rows = await readRows(rig.query);
  // What bears no name was asked by somebody else than the replicas.
  const invoice = readInvoice(rig.invoiceFile).filter(({ reference }) => reference !== undefined);
  const { dispatchesWithoutRow, requestsWithTwoRows } = compareWithInvoice(rows, invoice, differ);
  const accounts = await readAccounts(rig.query);
  compareWithAccounts(rig.accountOfKey, rows, accounts, differ);
  await compareWithSums(rig.query, rows, differ);
  return {
    dispatches: invoice.length,
    rows: rows.length,
    unknown: rows.filter(({ status }) => status === 'unknown').length,
    accounts: accounts.length,
    dispatchesWithoutRow,
    requestsWithTwoRows,
    invoiced: total(invoice.map(({ model, usage }) => billed(model, usage))),
    recorded: total(rows.map(({ cost }) => Number(cost))),
    held: total(accounts.map(({ leased }) => Number(leased))),
    differences,
  };
}

/** The books alone, without an invoice: balances, leases and sums against the rows. */
export async function auditBooks(query: Rig['query']): Promise<{ rows: number; differences: readonly string[] }> {
  const differences: string[] = [];
  const differ = (text: string) => void differences.push(text);
  const rows = await readRows(query);
  compareWithAccounts(new Map(), rows, await readAccounts(query), differ);
  await compareWithSums(query, rows, differ);
  return { rows: rows.length, differences: differences.slice(0, differencesMax) };
}

function readRows(query: Rig['query']): Promise<UsageRow[]> {
  return query<UsageRow>(`
    select usage.id, key_id, user_id, team_id, organization_id, end_user_id, model_group, model_used, deployment_id,
           provider, day, status, usage.started_at, usage.ended_at, input_tokens, output_tokens, cost,
           jsonb_array_length(detail::jsonb -> 'attempts') as attempts,
           (select coalesce(sum((attempt ->> 'charged')::bigint), 0)
              from jsonb_array_elements(detail::jsonb -> 'attempts') as attempt) as unclear,
           (select array_agg(tag) from usage_tags where usage_id = usage.id) as tags
    from usage`);
}

function readAccounts(query: Rig['query']): Promise<AccountRow[]> {
  return query<AccountRow>(`
    select accounts.*,
           coalesce((select sum(amount) from leases where leases.key = accounts.key and written_off = 0
             and leases.window_start = accounts.window_start), 0) as out,
           coalesce((select sum(amount) from leases where leases.key = accounts.key and written_off = 1
             and leases.window_start = accounts.window_start), 0) as written_off,
           coalesce((select sum(amount) from adjustments where adjustments.key = accounts.key
             and adjustments.window_start = accounts.window_start), 0) as credited
    from accounts`);
}

function compareWithInvoice(
  rows: readonly UsageRow[],
  invoice: readonly InvoiceEntry[],
  differ: (text: string) => void,
) {
  const byRef = new Map<string, UsageRow[]>();
  // The gateway's own id is the caller's with something unique behind it.
  // Refusals and replayed answers sent nothing and cost nothing: they have rows of their own beside that of the dispatch.
  const sent = rows.filter(({ attempts, cost }) => attempts > 0 || cost !== '0');
  for (const row of sent) gather(byRef, row.id.split('.')[0]!, row);
  let requestsWithTwoRows = 0;
  for (const [ref, found] of byRef) {
    if (found.length === 1) continue;
    requestsWithTwoRows += 1;
    differ(`${ref} has ${found.length} rows`);
  }
  const dispatchesByRef = new Map<string, InvoiceEntry[]>();
  for (const entry of invoice) gather(dispatchesByRef, entry.reference ?? '', entry);
  let dispatchesWithoutRow = 0;
  for (const [ref, entries] of dispatchesByRef) {
    const row = byRef.get(ref)?.[0];
    if (row === undefined) {
      dispatchesWithoutRow += entries.length;
      differ(`${entries.length} dispatches of ${ref} have no row`);
      continue;
    }
    const owed = total(entries.map(({ model, usage }) => billed(model, usage)));
    const cost = Number(row.cost);
    // What breaks off costs by policy: what had arrived, which may be a little less than what was produced, but never nothing.
    const isPolicy =
      row.status === 'aborted' || (row.status === 'failure' && /caller-left|fault/.test(entries.at(-1)!.outcome ?? ''));
    if (isPolicy ? owed > 0 && cost === 0 : cost < owed) differ(`${ref} costs ${cost}, billed are ${owed}`);
    if (row.status !== 'unknown' && row.attempts !== entries.length) {
      differ(`${ref} has ${row.attempts} attempts, the invoice ${entries.length} dispatches`);
    }
    const isClear = entries.length === 1 && entries[0]!.outcome === 'complete' && row.status === 'success';
    if (isClear && cost !== owed) differ(`${ref} was a success and costs ${cost}, billed are ${owed}`);
  }
  for (const row of sent) {
    const ref = row.id.split('.')[0]!;
    if (row.status === 'success' && !dispatchesByRef.has(ref)) differ(`${ref} has a successful row and was never sent`);
    if (row.status !== 'success') continue;
    const answered = billed(row.model_group ?? '', {
      inputTokens: Number(row.input_tokens),
      outputTokens: Number(row.output_tokens),
    } as InvoiceEntry['usage']);
    const again = answered + Number(row.unclear);
    if (again !== Number(row.cost)) differ(`${ref} costs ${row.cost}, its usage at the price comes to ${again}`);
  }
  return { dispatchesWithoutRow, requestsWithTwoRows };
}

function compareWithAccounts(
  accountOfKey: ReadonlyMap<string, string>,
  rows: readonly UsageRow[],
  accounts: readonly AccountRow[],
  differ: (text: string) => void,
): void {
  const ownersOf: Readonly<Record<string, (row: UsageRow) => readonly (string | null)[]>> = {
    key: (row) => [accountOfKey.get(row.key_id ?? '') ?? row.key_id],
    user: (row) => [row.user_id],
    team: (row) => [row.team_id],
    organization: (row) => [row.organization_id],
    end_user: (row) => [row.end_user_id],
    model: (row) => [row.model_group],
    deployment: (row) => [row.deployment_id],
    provider: (row) => [row.provider],
    tag: (row) => row.tags ?? [],
    global: () => ['global'],
    team_member: (row) => (row.team_id === null ? [] : [`${row.team_id}/${row.user_id}`]),
  };
  const costs = new Map<string, { from: number; to: number; cost: number; model: string | null }[]>();
  for (const row of rows) {
    if (row.cost === '0') continue;
    for (const [scope, owners] of Object.entries(ownersOf)) {
      for (const id of owners(row)) {
        if (id === null) continue;
        const [from, to] = [Number(row.started_at), Number(row.ended_at)];
        gather(costs, `${scope}|${id}`, { from, to, cost: Number(row.cost), model: row.model_group });
      }
    }
  }
  for (const account of accounts) {
    const { scope, id } = account;
    const start = Number(account.window_start);
    const next = Math.min(
      ...accounts
        .filter(({ key }) => key === account.key)
        .map((one) => Number(one.window_start))
        .filter((one) => one > start),
      Number.POSITIVE_INFINITY,
    );
    // A request counts where it was admitted, some time between its start and its end.
    const own = (costs.get(`${scope}|${id}`) ?? []).filter(
      ({ from, to, model }) => to >= start && from < next && (account.model === '' || account.model === model),
    );
    const least = total(own.filter(({ from, to }) => from >= start && to < next).map(({ cost }) => cost));
    const most = total(own.map(({ cost }) => cost));
    const inStore = Number(account.spent) - Number(account.written_off) + Number(account.credited);
    if (inStore < least || inStore > most) {
      const sum = least === most ? least : `${least} to ${most}`;
      differ(`account ${account.key} has spent ${inStore}, its rows come to ${sum}`);
    }
    if (account.leased !== account.out)
      differ(`account ${account.key} has ${account.leased} held, leases ${account.out}`);
    if (account.cap !== null && Number(account.spent) + Number(account.leased) > Number(account.cap)) {
      differ(`account ${account.key}: spent ${account.spent} and held ${account.leased} pass the cap ${account.cap}`);
    }
  }
}

const sumGroups = ['key_id', 'user_id', 'team_id', 'organization_id', 'model_group', 'model_used', 'provider'] as const;

/** The sums against the rows, by each dimension and by tag. */
async function compareWithSums(
  query: Rig['query'],
  rows: readonly UsageRow[],
  differ: (text: string) => void,
): Promise<void> {
  const compare = async (column: string, table: string, valuesOf: (row: UsageRow) => readonly string[]) => {
    const expected = new Map<string, number>();
    for (const row of rows) {
      for (const value of valuesOf(row)) expected.set(value, (expected.get(value) ?? 0) + Number(row.cost));
    }
    const found = await query<{ value: string; cost: string }>(
      `select ${column} as value, sum(cost) as cost from ${table} as sums
       join usage_series as series on series.id = sums.series group by 1`,
    );
    for (const { value, cost } of found) {
      if (Number(cost) !== (expected.get(value) ?? 0)) {
        differ(`the sums of ${column} ${value} come to ${cost}, their rows to ${expected.get(value) ?? 0}`);
      }
      expected.delete(value);
    }
    for (const value of expected.keys()) differ(`${column} ${value} has rows and no sums`);
  };
  const all = '(select * from usage_hours union all select * from usage_days)';
  for (const column of sumGroups) await compare(column, all, (row) => [row[column] ?? '']);
  await compare("to_char(to_timestamp(start / 1000) at time zone 'UTC', 'YYYY-MM-DD')", all, (row) => [row.day]);
  await compare('name', "(select * from usage_named where kind = 'tag')", (row) => row.tags ?? []);
}

function gather<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Sums of money stay exact: a number that is not a safe integer is refused. */
function total(amounts: Iterable<number>): number {
  let all = 0;
  for (const amount of amounts) all += amount;
  if (!Number.isSafeInteger(all)) throw new RangeError(`a sum of money is not a safe integer: ${all}`);
  return all;
}

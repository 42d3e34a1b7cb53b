import type { AccountEntry, BookEntry, LeaseAnswer, LeaseGrant, LeaseWant } from '../../core/books.ts';
import type { MutableAccount, MutableLease } from './book-rows.ts';
import { refText } from './book-rows.ts';

/* What happens to accounts and leases, without a database: rows in, changed rows out. */

type Sum = { -readonly [Property in keyof AccountEntry]: AccountEntry[Property] };

/** The entries of many records, summed per account; the cap that was named last counts. */
export function sumEntries(entries: Iterable<Pick<BookEntry, 'accounts'>>): Map<string, AccountEntry> {
  const sums = new Map<string, Sum>();
  // Records of a batch share few accounts, and nearly all their windows: most need no text to find their sum.
  const latest = new Map<string, Sum>();
  for (const { accounts } of entries) {
    for (const account of accounts) {
      let sum = latest.get(account.key);
      if (sum === undefined || sum.windowStart !== account.windowStart) {
        const key = refText(account);
        sum = sums.get(key);
        if (sum === undefined) {
          sum = { ...account, delta: 0, leaseReturn: 0 };
          sums.set(key, sum);
        }
        latest.set(account.key, sum);
      }
      sum.cap = account.cap;
      sum.delta += account.delta;
      sum.leaseReturn += account.leaseReturn;
    }
  }
  return sums;
}

/** Takes up to `amount` out of a lease and out of where its account counts it. Returns what was taken. */
export function takeFromLease(account: MutableAccount, lease: MutableLease, amount: number): number {
  const taken = Math.min(amount, lease.amount);
  lease.amount -= taken;
  if (lease.writtenOff) account.spent -= taken;
  else account.leased -= taken;
  return taken;
}

/** Moves an expired lease from `leased` to `spent`. */
export function writeOff(account: MutableAccount, lease: MutableLease): void {
  if (lease.writtenOff) return;
  account.leased -= lease.amount;
  account.spent += lease.amount;
  lease.writtenOff = true;
}

/** Undoes `writeOff`: its holder is alive. The sum of spent and leased stays as it was, so no cap is in danger. */
export function revive(account: MutableAccount, lease: MutableLease): void {
  if (!lease.writtenOff) return;
  account.spent -= lease.amount;
  account.leased += lease.amount;
  lease.writtenOff = false;
}

/** Grants every want, or says which account stands in the way. Changes the rows only when it grants. */
export function grantLeases(
  wants: readonly LeaseWant[],
  accounts: ReadonlyMap<string, MutableAccount>,
  leases: ReadonlyMap<string, MutableLease>,
): LeaseAnswer {
  for (const want of wants) {
    const { spent, leased } = accounts.get(refText(want))!;
    if (want.cap - spent - leased >= want.need) continue;
    const { key, windowStart, need, cap } = want;
    const lease = leases.get(refText(want));
    const held = lease?.amount ?? 0;
    return { granted: null, refused: { key, windowStart, need, cap, spent, leased, held } };
  }
  const granted = wants.map((want): LeaseGrant => {
    const { key, windowStart, cap } = want;
    const account = accounts.get(refText(want))!;
    const lease = leases.get(refText(want))!;
    const free = cap - account.spent - account.leased;
    const share = want.need + Math.floor((free - want.need) / want.headroomDivisor);
    const amount = Math.max(want.need, Math.min(want.want, share));
    account.leased += amount;
    lease.amount += amount;
    return {
      key,
      windowStart,
      granted: amount,
      held: lease.amount,
      spent: account.spent,
      leased: account.leased,
      cap,
    };
  });
  return { granted, refused: null };
}

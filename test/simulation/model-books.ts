import type {
  AccountRef,
  AccountSpec,
  BatchResult,
  BookBatch,
  BookEntry,
  Books,
  JournalCheckpoint,
  LeaseAnswer,
  LeaseGrant,
  LeaseRecord,
  LeaseRequest,
  LeaseReturn,
} from '../../src/core/books.ts';
import type { Nanodollars } from '../../src/core/money.ts';
import { assertNanodollars } from '../../src/core/money.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import type { AccountRecord } from '../../src/core/store.ts';

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] };
type Lease = Mutable<LeaseRecord>;

const nameOf = ({ key, windowStart }: AccountRef) => `${key}@${windowStart}`;

/** Told of what happens in the books, at the moment it happens. */
export interface BookObserver {
  recorded(entry: BookEntry, processId: string): void;
  /** A slice was granted. */
  granted(): void;
  /** What had been written off came back. */
  revived(account: AccountRecord, amount: Nanodollars): void;
}

const nobody: BookObserver = { recorded() {}, granted() {}, revived() {} };

/** Books in memory with the exact meaning of the real ones: every call is one step that nothing can interrupt. */
export class ModelBooks implements Books {
  observer = nobody;
  readonly records = new Map<string, RequestRecord>();
  readonly accounts = new Map<string, AccountRecord>();
  /** Accounts that changed since somebody looked. */
  readonly changed = new Set<string>();
  /** By process, then by account. */
  readonly #leases = new Map<string, Map<string, Lease>>();
  readonly #leasesOn = new Map<string, Set<Lease>>();
  readonly #checkpoints = new Map<string, JournalCheckpoint>();
  readonly #answers = new Map<string, unknown>();

  async apply({ processId, entries, checkpoint }: BookBatch): Promise<BatchResult> {
    const sums = new Map<string, Nanodollars>();
    for (const { accounts } of entries) {
      for (const entry of accounts) {
        const name = nameOf(entry);
        const before = sums.get(name) ?? this.accounts.get(name)?.spent ?? 0;
        sums.set(name, assertNanodollars(before + entry.delta));
      }
    }
    const duplicates: string[] = [];
    const touched = new Set<AccountRecord>();
    for (const { record, accounts } of entries) {
      if (this.records.has(record.id)) {
        duplicates.push(record.id);
        continue;
      }
      this.records.set(record.id, record);
      for (const entry of accounts) {
        const account = this.#open(entry);
        account.spent += entry.delta;
        const lease = this.#leases.get(processId)?.get(nameOf(entry));
        if (lease !== undefined) this.#take(account, lease, entry.leaseReturn);
        touched.add(account);
        this.changed.add(nameOf(entry));
      }
      this.observer.recorded({ record, accounts }, processId);
    }
    if (checkpoint !== undefined) this.#checkpoints.set(processId, checkpoint);
    return { duplicates, accounts: [...touched].map((account) => ({ ...account })) };
  }

  async acquireLease({ processId, token, wants, expiresAt }: LeaseRequest): Promise<LeaseAnswer> {
    const known = this.#answers.get(`${processId} ${token}`);
    if (known !== undefined) return known as LeaseAnswer;
    const ordered = [...wants].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
    for (const want of ordered) {
      const account = this.accounts.get(nameOf(want));
      const lease = this.#leases.get(processId)?.get(nameOf(want));
      const held = lease?.amount ?? 0;
      const off = lease?.writtenOff ? held : 0;
      const spent = (account?.spent ?? 0) - off;
      const leased = (account?.leased ?? 0) + off;
      if (want.cap - spent - leased < want.need) {
        const { key, windowStart, need, cap } = want;
        return { granted: null, refused: { key, windowStart, need, cap, spent, leased, held } };
      }
    }
    const granted = ordered.map((want): LeaseGrant => {
      const account = this.#open(want);
      const lease = this.#leaseOf(processId, want);
      this.#revive(account, lease);
      const free = want.cap - account.spent - account.leased;
      const share = want.need + Math.floor((free - want.need) / want.headroomDivisor);
      const amount = Math.max(want.need, Math.min(want.want, share));
      account.leased += amount;
      lease.amount += amount;
      lease.expiresAt = Math.max(lease.expiresAt, expiresAt);
      this.changed.add(nameOf(want));
      const { spent, leased } = account;
      return {
        key: want.key,
        windowStart: want.windowStart,
        granted: amount,
        held: lease.amount,
        spent,
        leased,
        cap: want.cap,
      };
    });
    this.observer.granted();
    const answer = { granted, refused: null };
    this.#answers.set(`${processId} ${token}`, answer);
    return answer;
  }

  async returnLease(
    processId: string,
    token: string,
    returns: readonly LeaseReturn[],
  ): Promise<readonly Nanodollars[]> {
    const known = this.#answers.get(`${processId} ${token}`);
    if (known !== undefined) return known as Nanodollars[];
    const taken = returns.map((wanted) => {
      const lease = this.#leases.get(processId)?.get(nameOf(wanted));
      return lease === undefined ? 0 : this.#take(this.accounts.get(nameOf(wanted))!, lease, wanted.amount);
    });
    this.#answers.set(`${processId} ${token}`, taken);
    return taken;
  }

  async renewLeases(processId: string, expiresAt: number, now: number): Promise<readonly LeaseRecord[]> {
    for (const lease of this.#leases.get(processId)?.values() ?? []) {
      this.#revive(this.accounts.get(nameOf(lease))!, lease);
      lease.expiresAt = expiresAt < now ? expiresAt : Math.max(lease.expiresAt, expiresAt);
    }
    return this.leases(processId);
  }

  async releaseProcess(processId: string): Promise<void> {
    for (const [name, lease] of this.#leases.get(processId) ?? []) {
      this.#take(this.accounts.get(name)!, lease, lease.amount);
      this.#leasesOn.get(name)!.delete(lease);
    }
    this.#leases.delete(processId);
    this.#checkpoints.delete(processId);
  }

  async expireLeases(now: number): Promise<readonly LeaseRecord[]> {
    const ended = [...this.#leases.values()]
      .flatMap((leases) => [...leases.values()])
      .filter((lease) => lease.expiresAt < now && !lease.writtenOff && lease.amount > 0);
    for (const lease of ended) {
      const account = this.accounts.get(nameOf(lease))!;
      account.leased -= lease.amount;
      account.spent += lease.amount;
      lease.writtenOff = true;
      this.changed.add(nameOf(lease));
    }
    return ended.map((lease) => ({ ...lease }));
  }

  async leases(processId: string): Promise<readonly LeaseRecord[]> {
    const leases = [...(this.#leases.get(processId)?.values() ?? [])];
    return leases.filter(({ amount }) => amount > 0).map((lease) => ({ ...lease }));
  }

  async checkpoint(processId: string): Promise<JournalCheckpoint | null> {
    return this.#checkpoints.get(processId) ?? null;
  }

  async balances(accounts: readonly AccountRef[]): Promise<readonly AccountRecord[]> {
    return accounts.flatMap((account) => {
      const known = this.accounts.get(nameOf(account));
      return known === undefined ? [] : [{ ...known }];
    });
  }

  /** The leases that are out on an account, for checks. */
  leasesOn(name: string): Iterable<LeaseRecord> {
    return this.#leasesOn.get(name) ?? [];
  }

  /** A credit: true when so much had been spent, as the real books decide it. */
  credit(name: string, amount: Nanodollars): boolean {
    const account = this.accounts.get(name);
    if (account === undefined) return false;
    let writtenOff = 0;
    for (const lease of this.leasesOn(name)) if (lease.writtenOff) writtenOff += lease.amount;
    if (account.spent - writtenOff < amount) return false;
    account.spent -= amount;
    return true;
  }

  #open(spec: AccountSpec): AccountRecord {
    const { key, windowStart, scope, id, model, duration, cap } = spec;
    let account = this.accounts.get(nameOf(spec));
    if (account === undefined) {
      account = { key, windowStart, scope, id, model, duration, cap, spent: 0, leased: 0 };
      this.accounts.set(nameOf(spec), account);
    }
    account.cap = cap;
    return account;
  }

  #leaseOf(processId: string, ref: AccountRef): Lease {
    const name = nameOf(ref);
    let own = this.#leases.get(processId);
    if (own === undefined) {
      own = new Map();
      this.#leases.set(processId, own);
    }
    let lease = own.get(name);
    if (lease === undefined) {
      const { key, windowStart } = ref;
      lease = { processId, key, windowStart, amount: 0, expiresAt: 0, writtenOff: false };
      own.set(name, lease);
      this.#leasesOn.set(name, (this.#leasesOn.get(name) ?? new Set()).add(lease));
    }
    return lease;
  }

  #take(account: AccountRecord, lease: Lease, amount: Nanodollars): Nanodollars {
    const taken = Math.min(amount, lease.amount);
    lease.amount -= taken;
    this.changed.add(nameOf(lease));
    if (!lease.writtenOff) account.leased -= taken;
    else {
      account.spent -= taken;
      this.observer.revived(account, taken);
    }
    return taken;
  }

  #revive(account: AccountRecord, lease: Lease): void {
    if (!lease.writtenOff) return;
    account.spent -= lease.amount;
    account.leased += lease.amount;
    lease.writtenOff = false;
    this.changed.add(nameOf(lease));
    this.observer.revived(account, lease.amount);
  }
}

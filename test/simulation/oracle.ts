import type { BookEntry } from '../../src/core/books.ts';
import type { BudgetDenial, BudgetRule } from '../../src/core/limits.ts';
import type { Nanodollars } from '../../src/core/money.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import type { AccountRecord } from '../../src/core/store.ts';
import { accountName } from './account-name.ts';
import { AccountTruth } from './account-truth.ts';
import { CapHistory, oldCapMs } from './cap-history.ts';
import { ClampCheck } from './clamp-check.ts';
import type { ModelBooks } from './model-books.ts';
import { shareExpected } from './share-expected.ts';
import { Violation } from './violation.ts';

/** One run of a simulated process, from its start to its end. */
export interface Incarnation {
  crashed: boolean;
  /** It ends in good order. */
  isClosing: boolean;
  /** It was stopped while requests had no end yet. */
  wasCut: boolean;
  /** Its name in the books; '' before it is known. */
  processId: string;
  /** The time by which it decides. */
  now(): number;
}

/** A question whether money fits, while it waits for its answer. */
export interface Ask {
  readonly requestId: string;
  readonly process: Incarnation;
  readonly chain: readonly { readonly account: AccountTruth; readonly cap: Nanodollars | null }[];
  readonly amount: Nanodollars;
  readonly askedAt: number;
  readonly isExtension: boolean;
  /** There was a moment since it asked at which it truly did not fit. */
  refusable: boolean;
}

/** What one request has to do with one account. */
interface Line {
  low: Nanodollars;
  high: Nanodollars;
  held: Nanodollars;
  pending: Nanodollars;
  hidden: Nanodollars;
}

export interface Purchase {
  readonly id: string;
  readonly process: Incarnation;
  readonly lines: Map<AccountTruth, Line>;
  /** Held on the chain of the request, extensions included. */
  bound: Nanodollars;
  state: 'open' | 'settled' | 'recorded' | 'lost';
  /** Its note may be in the journal. */
  noted: boolean;
  /** A provider was called for it. */
  sent: boolean;
  /** It went out without a line in the file: no cap applies to it and the disk was full. */
  unwritten: boolean;
  cost: Nanodollars;
  /** It cost more than was held. */
  breached: boolean;
  /** Accounts where no lease stands behind all of it: it had no cap when it was admitted, or cost more than was held there. */
  readonly uncovered: Set<AccountTruth>;
  /** A cap applied to it when it was admitted. */
  readonly isCapped: boolean;
  record: RequestRecord | null;
}

const noLine: Readonly<Line> = { low: 0, high: 0, held: 0, pending: 0, hidden: 0 };

/** Knows the truth about money, apart from the ledger, and compares. The letters are those of docs/proof.md. */
export class Oracle {
  readonly purchases = new Map<string, Purchase>();
  /** What went wrong inside a call of the store. */
  violation: unknown;
  readonly #open = new Map<Incarnation, Set<Purchase>>();
  readonly #clamps = new ClampCheck();
  readonly #asks = new Set<Ask>();
  /** Refusals that nothing explains so far. */
  readonly #doubts: { readonly ask: Ask; readonly denial: BudgetDenial; readonly at: number }[] = [];
  readonly #accounts = new Map<string, AccountTruth>();
  /** By the account's key, which all windows share. */
  readonly #caps = new Map<string, CapHistory>();
  readonly #books: ModelBooks;
  readonly #alone: boolean;
  readonly #now: () => number;
  /** Whether what this process has on lease may be out of everybody's reach. */
  readonly #isOutOfReach: (processId: string) => boolean;

  readonly #isShaky: () => boolean;

  constructor(
    books: ModelBooks,
    alone: boolean,
    now: () => number,
    isOutOfReach: (processId: string) => boolean,
    isShaky: () => boolean,
  ) {
    this.#isShaky = isShaky;
    this.#books = books;
    this.#alone = alone;
    this.#now = now;
    this.#isOutOfReach = isOutOfReach;
    books.observer = {
      recorded: (entry) => this.#guard(() => this.#recorded(entry)),
      granted: () => {
        this.observe();
        this.#guard(() => this.checkStore());
      },
      revived: (account, amount) => this.#revived(account, amount),
    };
  }

  account(rule: BudgetRule, now = this.#now()): AccountTruth {
    return this.#named(accountName(rule, now));
  }

  // ── Asking ────────────────────────────────────────────────────────────────────────────────────────────────────────

  asked(requestId: string, process: Incarnation, rules: readonly BudgetRule[], amount: Nanodollars): Ask {
    const now = process.now();
    const chain = rules.map((rule) => {
      const account = this.account(rule, now);
      const { increase } = rule;
      const extra = rule.cap !== null && increase !== null && now < increase.until ? increase.amount : 0;
      if (!account.caps.isKnown) this.capSeen(account, rule.cap === null ? null : rule.cap + extra);
      const cap = rule.cap === null ? null : rule.cap + extra;
      account.namedBy.set(process, cap);
      return { account, cap };
    });
    const ask = { requestId, process, chain, amount, askedAt: now, isExtension: false, refusable: false };
    this.#asks.add(ask);
    this.#look(ask);
    return ask;
  }

  /** For a second purchase: the chain of the first one, under the caps that the process heard of last. */
  askedAgain(first: Ask, amount: Nanodollars): Ask {
    const chain = first.chain.map(({ account }) => ({ account, cap: account.namedBy.get(first.process) ?? null }));
    const ask = { ...first, chain, amount, askedAt: this.#now(), isExtension: true, refusable: false };
    this.#asks.add(ask);
    this.#look(ask);
    return ask;
  }

  forgotten(ask: Ask): void {
    this.#asks.delete(ask);
  }

  /** S1, S5, S17: it is held on every account, and fits under every cap. */
  admitted(ask: Ask): Purchase {
    this.#asks.delete(ask);
    let purchase = this.purchases.get(ask.requestId);
    if (purchase === undefined || purchase.state === 'recorded') {
      this.#clamps.admitted(ask);
      purchase = newPurchase(ask);
      this.purchases.set(ask.requestId, purchase);
      this.#openOf(ask.process).add(purchase);
    }
    for (const { account, cap } of ask.chain) {
      const line = purchase.lines.get(account) ?? noLine;
      const { amount } = ask;
      this.#set(purchase, account, {
        low: line.low + amount,
        high: line.high + amount,
        held: line.held + amount,
        pending: line.pending,
        hidden: line.hidden + (cap === null && !this.#alone ? amount : 0),
      });
    }
    for (const { account, cap } of ask.chain) {
      if (cap === null) {
        purchase.uncovered.add(account);
        account.rise(account.low - account.credited - account.hidden);
      } else if (ask.amount > 0) this.#mustFit(account, cap, ask);
    }
    return purchase;
  }

  #mustFit(account: AccountTruth, cap: Nanodollars, { process, requestId, amount, isExtension }: Ask): void {
    const now = this.#now();
    const visible = account.low - account.credited - account.hidden;
    // A second purchase may be made by a process that no request has told of a lower cap.
    if (isExtension && visible <= cap) account.rise(visible);
    else if (!account.allows(visible, this.#heardSince())) {
      throw new Violation(
        `S1: ${account.name} has ${visible} spent and held with ${amount} of ${requestId} under ${cap}: ${account.told()}`,
      );
    }
    for (const lease of this.#books.leasesOn(account.name)) {
      if (lease.processId === process.processId && lease.writtenOff && lease.expiresAt < now) {
        throw new Violation(`S17: ${requestId} was admitted from a lease on ${account.name} that had ended`);
      }
    }
  }

  /** T1: what was refused did not fit. What was admitted at the same moment may be told a little later. */
  refused(ask: Ask, denial: BudgetDenial): void {
    this.#look(ask);
    // Where there are others, what they have on lease and may not need counts as taken.
    if (this.#alone && !this.purchases.has(ask.requestId)) {
      // What was decided after a wait was true a moment before it is heard.
      const told = ask.askedAt < this.#now() ? denial.cap - denial.spent - denial.held : Number.POSITIVE_INFINITY;
      this.#clamps.refused(ask, this.#asks, told, (account) => this.#believed(account, ask.process));
    }
    if (ask.refusable) this.#asks.delete(ask);
    else this.#doubts.push({ ask, denial, at: this.#now() });
  }

  get hasDoubts(): boolean {
    return this.#doubts.length > 0;
  }

  /** When all promises of this moment are kept. */
  checkRefusals(): void {
    for (const { ask, denial, at } of this.#doubts.splice(0)) {
      this.#look(ask);
      this.#asks.delete(ask);
      if (!ask.refusable) this.#wronglyRefused(ask, denial, at);
    }
  }

  #wronglyRefused(ask: Ask, denial: BudgetDenial, at: number): never {
    const figures = ask.chain.map(({ account, cap }) => {
      const leases = [...this.#books.leasesOn(account.name)].map(({ processId, amount, writtenOff }) => {
        const shares = [...account.byProcess].filter(([process]) => process.processId === processId);
        return { processId: processId.slice(0, 4), amount, writtenOff, shares: shares.map(([, share]) => share) };
      });
      return `${account.name} ${account.believed(this.#now()) - account.credited} of ${cap} ${JSON.stringify(leases)}`;
    });
    throw new Violation(
      `T1: ${ask.requestId} with ${ask.amount} by ${ask.process.processId.slice(0, 4)} was refused after ${at - ask.askedAt} ms though it fits: ${figures.join(', ')}; ${JSON.stringify(denial)}`,
    );
  }

  /** Does it fit at this moment? To be called whenever that may have changed. */
  observe(): void {
    for (const ask of this.#asks) this.#look(ask);
  }

  #look(ask: Ask): void {
    if (ask.refusable) return;
    for (const { account, cap } of ask.chain) {
      if (cap === null) continue;
      if (this.#believed(account, ask.process) + ask.amount > cap) {
        ask.refusable = true;
        return;
      }
    }
  }

  /** The most that a process may take for spent and held. */
  #believed(account: AccountTruth, asker: Incarnation): Nanodollars {
    return account.believed(this.#now()) - account.credited + this.#unreachable(account, asker);
  }

  /** Slices of others that nobody uses and that cannot come back now. */
  #unreachable(account: AccountTruth, asker: Incarnation): Nanodollars {
    let sum = 0;
    for (const { processId, amount, writtenOff } of this.#books.leasesOn(account.name)) {
      if (processId === asker.processId || !(writtenOff || this.#isOutOfReach(processId))) continue;
      let used = 0;
      for (const [process, share] of account.byProcess) {
        if (process.processId === processId) used += share.held + share.pending;
      }
      sum += Math.max(0, amount - used);
    }
    return sum;
  }

  // ── From hold to record ───────────────────────────────────────────────────────────────────────────────────────────

  /** Something held beside the chain is given back. */
  detached(purchase: Purchase, ask: Ask): void {
    for (const { account } of ask.chain) {
      const line = purchase.lines.get(account)!;
      const left = { ...line, held: line.held - ask.amount, low: line.low - ask.amount, high: line.high - ask.amount };
      this.#set(purchase, account, { ...left, hidden: Math.min(line.hidden, left.low) });
    }
  }

  settled(purchase: Purchase, record: RequestRecord): void {
    if (purchase.state !== 'open') throw new Violation(`S7: ${purchase.id} was settled twice`);
    purchase.state = 'settled';
    purchase.cost = record.cost;
    purchase.breached = record.cost > purchase.bound;
    for (const [account, line] of purchase.lines) {
      const share = shareExpected(account.name, record);
      this.#set(purchase, account, {
        low: share,
        high: share,
        held: 0,
        pending: share,
        hidden: line.hidden > 0 || share > line.held ? share : 0,
      });
      if (share > line.held) {
        account.rise(account.low - account.credited);
        purchase.uncovered.add(account);
      }
    }
    this.observe();
  }

  /** Its open requests have no end, and what it had not written down is gone. */
  died(process: Incarnation): void {
    for (const ask of this.#asks) if (ask.process === process) this.#asks.delete(ask);
    for (const purchase of this.#openOf(process)) {
      const keeps = purchase.noted || purchase.state === 'settled';
      for (const [account, line] of purchase.lines) {
        const high = keeps ? Math.max(line.held, line.pending, purchase.bound) : 0;
        this.#set(purchase, account, { low: 0, high, held: 0, pending: high, hidden: 0 });
      }
      purchase.state = 'lost';
    }
    this.#open.delete(process);
    this.observe();
  }

  /** Questions of a process that have no answer yet. */
  askCount(process: Incarnation): number {
    let count = 0;
    for (const ask of this.#asks) if (ask.process === process) count += 1;
    return count;
  }

  openCount(process: Incarnation): number {
    let count = 0;
    for (const { state } of this.#openOf(process)) if (state === 'open') count += 1;
    return count;
  }

  openOf(process: Incarnation): Iterable<Purchase> {
    return this.#openOf(process);
  }

  credit(account: AccountTruth, amount: Nanodollars): void {
    account.credited += amount;
    account.fell(amount, this.#now());
  }

  /** S3, S7: what a record does to each account is what it must do, once. */
  #recorded({ record, accounts }: BookEntry): void {
    const purchase = this.purchases.get(record.id);
    if (purchase === undefined) {
      if (record.cost !== 0) throw new Violation(`S10: ${record.id} costs ${record.cost} and held nothing`);
      return;
    }
    purchase.record = record;
    const found = new Map(accounts.map((entry) => [`${entry.key}@${entry.windowStart}`, entry.delta]));
    for (const [account, line] of purchase.lines) {
      const share = shareExpected(account.name, record);
      const delta = found.get(account.name) ?? 0;
      if (delta !== share) throw new Violation(`S3: ${record.id} adds ${delta} to ${account.name} instead of ${share}`);
      found.delete(account.name);
      const stored = this.#books.accounts.get(account.name);
      const isCovered = !purchase.uncovered.has(account) && !purchase.breached;
      this.#set(purchase, account, { ...noLine, low: share, high: share });
      account.recorded += share;
      // With what its dead process had bought besides, which is recorded after it.
      if (!isCovered && stored !== undefined) {
        account.rise(Math.max(stored.spent + stored.leased, account.high - account.credited));
      }
      if (line.high > share) account.fell(purchase.state === 'lost' ? line.high - share : 0, this.#now());
    }
    for (const [name, delta] of found) {
      if (delta !== 0) throw new Violation(`S5: ${record.id} adds ${delta} to ${name}, where it held nothing`);
    }
    purchase.state = 'recorded';
    this.#open.get(purchase.process)?.delete(purchase);
  }

  #revived(account: AccountRecord, amount: Nanodollars): void {
    this.#named(`${account.key}@${account.windowStart}`).fell(amount, this.#now());
  }

  #set(purchase: Purchase, account: AccountTruth, next: Line): void {
    const last = purchase.lines.get(account) ?? noLine;
    purchase.lines.set(account, next);
    account.low += next.low - last.low;
    account.high += next.high - last.high;
    account.hidden += next.hidden - last.hidden;
    const share = account.of(purchase.process);
    share.held += next.held - last.held;
    share.pending += next.pending - last.pending;
    if (next.high > last.high) this.observe();
  }

  // ── Caps ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A cap is in force. What was spent and held under an earlier one stays allowed, in every window. */
  capSeen(account: AccountTruth, cap: Nanodollars | null): void {
    if (!account.caps.saw(cap, this.#now())) return;
    for (const window of this.#accounts.values()) {
      if (window.caps !== account.caps) continue;
      const stored = this.#books.accounts.get(window.name);
      const sum = (stored?.spent ?? 0) + (stored?.leased ?? 0);
      window.rise(Math.max(sum, window.low - window.credited - window.hidden));
    }
  }

  /** Whoever slept goes by the caps of then. */
  slept(from: number): void {
    for (const caps of this.#caps.values()) caps.slept(from, this.#now());
  }

  /** Everybody goes by what was in force then or later; a question to a store that does not answer is repeated for long. */
  #heardSince(): number {
    return this.#isShaky() ? 0 : this.#now() - oldCapMs;
  }

  // ── The store ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * S2, S11, S17: leases are what accounts say, what is spent is what records, credits and write-offs say, and nobody holds
   * more than the cap.
   */
  checkStore(): void {
    for (const name of this.#books.changed) {
      const account = this.#books.accounts.get(name);
      if (account === undefined) continue;
      let leased = 0;
      let writtenOff = 0;
      for (const lease of this.#books.leasesOn(name)) {
        if (lease.amount < 0) throw new Violation(`S2: a lease of ${lease.amount} on ${name}`);
        if (lease.writtenOff) writtenOff += lease.amount;
        else leased += lease.amount;
      }
      if (account.leased !== leased) throw new Violation(`S17: leases on ${name} do not add up`);
      if (account.spent < 0) throw new Violation(`S2: ${name} has spent ${account.spent}`);
      const truth = this.#named(name);
      const { recorded, credited } = truth;
      if (account.spent !== recorded - credited + writtenOff) {
        throw new Violation(
          `S11: ${name} has ${account.spent} spent for ${recorded} recorded, ${credited} credited, ${writtenOff} written off`,
        );
      }
      const sum = account.spent + account.leased;
      if (!truth.allows(sum, this.#heardSince())) {
        throw new Violation(`S17: ${name} has ${sum} spent and on lease: ${truth.told()}`);
      }
    }
    this.#books.changed.clear();
  }

  /** When all is over: S3, S7, S10, L1, M4. */
  checkEnd(): void {
    for (const purchase of this.purchases.values()) {
      const { id, record, state, unwritten, process } = purchase;
      if (record !== null) {
        const isUnknown = record.status === 'unknown';
        if (isUnknown && !process.crashed && !process.wasCut)
          throw new Violation(`M4: ${id} is unknown though its process came to its own end`);
        if (!isUnknown && record.cost !== purchase.cost) {
          throw new Violation(`S7: ${id} cost ${purchase.cost} and is recorded with ${record.cost}`);
        }
      } else if (process.wasCut && (!purchase.sent || unwritten)) {
        // It came to its end after the books of its process were closed, and had bought nothing, or the disk was full.
        for (const account of purchase.lines.keys()) this.#set(purchase, account, noLine);
      } else if (state !== 'lost')
        throw new Violation(
          `S10: ${id} left no record: ${JSON.stringify({ state, process, sent: purchase.sent, noted: purchase.noted, bound: purchase.bound })}`,
        );
      else if (purchase.sent && !unwritten)
        throw new Violation(
          `S10: ${id} was sent and left no record: ${JSON.stringify({ state, process, sent: purchase.sent, noted: purchase.noted, bound: purchase.bound })}`,
        );
      else for (const account of purchase.lines.keys()) this.#set(purchase, account, noLine);
    }
    for (const [name, { spent, leased }] of this.#books.accounts) {
      const { low, credited } = this.#named(name);
      if (spent !== low - credited)
        throw new Violation(
          `S3: ${name} has ${spent} spent, its records say ${low - credited}; leases: ${JSON.stringify([...this.#books.leasesOn(name)])}`,
        );
      if (leased !== 0) throw new Violation(`L1: ${leased} still on lease on ${name}`);
    }
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.violation ??= cause;
    }
  }

  #openOf(process: Incarnation): Set<Purchase> {
    let open = this.#open.get(process);
    if (open === undefined) {
      open = new Set();
      this.#open.set(process, open);
    }
    return open;
  }

  #capsOf(key: string): CapHistory {
    let caps = this.#caps.get(key);
    if (caps === undefined) {
      caps = new CapHistory();
      this.#caps.set(key, caps);
    }
    return caps;
  }

  #named(name: string): AccountTruth {
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = new AccountTruth(name, this.#capsOf(name.slice(0, name.lastIndexOf('@'))));
      this.#accounts.set(name, account);
    }
    return account;
  }
}

function newPurchase({ requestId, process, chain }: Ask): Purchase {
  return {
    id: requestId,
    process,
    lines: new Map(),
    bound: 0,
    state: 'open',
    noted: false,
    sent: false,
    unwritten: false,
    cost: 0,
    breached: false,
    uncovered: new Set(),
    isCapped: chain.some(({ cap }) => cap !== null),
    record: null,
  };
}

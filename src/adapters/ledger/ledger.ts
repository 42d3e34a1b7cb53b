import type { AccountRef, Books, Recalls } from '../../core/books.ts';
import { shareOf } from '../../core/books.ts';
import { GatewayError } from '../../core/errors.ts';
import type { BudgetDenial, BudgetRule } from '../../core/limits.ts';
import type { Nanodollars } from '../../core/money.ts';
import type {
  AccountBalance,
  AlertSink,
  BudgetPart,
  BudgetReservation,
  Chance,
  Clock,
  DispatchNote,
  Ledger,
  Log,
  Timer,
} from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { JournalSizes } from '../journal.ts';
import { Journal } from '../journal.ts';
import type { JournalFolder } from '../journal-folder.ts';
import type { Account } from './account.ts';
import { Accounts } from './accounts.ts';
import { Admission, denial, unrecordable } from './admission.ts';
import { BudgetAlerts } from './budget-alerts.ts';
import { closeBooks } from './closing.ts';
import type { FlushPolicy } from './flusher.ts';
import { Flusher } from './flusher.ts';
import { Heartbeat } from './heartbeat.ts';
import { Hold } from './hold.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { leasePolicy } from './lease-policy.ts';
import { Leases } from './leases.ts';
import { LedgerJournal } from './ledger-journal.ts';
import { Closed, Patience } from './patience.ts';
import type { RecoveryReport, UnknownCharge } from './recovery.ts';
import { recover } from './recovery.ts';

export interface LedgerOptions {
  readonly books: Books;
  readonly folder: JournalFolder;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /**
   * True when only processes that share `folder` can use these books (the embedded store): then this one counts as alone
   * until it finds the journal of another one there.
   */
  readonly alone: boolean;
  /** How processes ask each other for slices; null when the books have no such way. */
  readonly recalls?: Recalls | null;
  /** Charge for requests that were sent and whose end nobody saw. */
  readonly unknownCharge?: UnknownCharge;
  /** While the store does not answer: admit by the last known figures (true), or refuse what needs it. */
  readonly spools?: () => boolean;
  /** Told of budgets that are crossed. */
  readonly alerts?: AlertSink;
  /**
   * Does something when all that this turn of the event loop brings has been looked at: the notes of its requests then go
   * to the journal in one write. Without it each is written at once.
   */
  readonly atEndOfTurn?: (work: () => void) => void;
  readonly journalSizes?: JournalSizes;
  readonly flushPolicy?: FlushPolicy;
  readonly leasePolicy?: LeasePolicy;
  /** Told of a request that cost more than its bound: its price or the provider's limit is wrong. */
  readonly onBoundBreach?: (record: RequestRecord, bound: Nanodollars) => void;
}

/** What an operator may want to see of the ledger. */
export interface LedgerFigures {
  readonly openHolds: number;
  readonly openDispatches: number;
  /** Settled requests that the store does not have yet. */
  readonly pendingRecords: number;
  /** Those of them that wait in the journal alone. */
  readonly spooledRecords: number;
  readonly journalWritable: boolean;
  readonly storeFailures: number;
  readonly boundBreaches: number;
  /** Requests without cost that left no row because the disk was full for long. */
  readonly unrecorded: number;
  readonly accounts: number;
  readonly waiting: number;
  readonly recovery: RecoveryReport;
}

/** Lines of settled requests wait at most so long for company. */
const settleDelayMs = 5;
/** How often a process that thinks it is alone looks for others. */
const neighbourMs = 1_000;

/** Replays what dead processes left, then opens the books for this one. Rejects when the store does not answer. */
export async function openLedger(options: LedgerOptions): Promise<LeasedLedger> {
  const { folder, books, clock, log } = options;
  const report = await recover(folder, books, () => clock.now(), log, options.unknownCharge);
  await books.expireLeases(clock.now());
  return new LeasedLedger(options, report);
}

/** The ledger over leases from the store, a local journal and a flusher. See docs/decisions/2026-11-22-ledger.md. */
export class LeasedLedger implements Ledger {
  readonly processId: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #accounts = new Accounts();
  readonly #journal: LedgerJournal;
  readonly #patience: Patience;
  readonly #admission: Admission;
  readonly #flusher: Flusher;
  readonly #heartbeat: Heartbeat;
  readonly #books: Books;
  readonly #leasePolicy: LeasePolicy;
  readonly #recovery: RecoveryReport;
  /** Replays what a sibling on this machine left when it died. */
  readonly #recoverOthers: () => Promise<RecoveryReport>;
  readonly #spools: () => boolean;
  readonly #alerts: BudgetAlerts | null;
  readonly #onBoundBreach: (record: RequestRecord, bound: Nanodollars) => void;
  #openHolds = 0;
  #storeFailures = 0;
  #boundBreaches = 0;
  #unrecorded = 0;
  #writeScheduled = false;
  readonly #atEndOfTurn: ((work: () => void) => void) | null;
  /** The write at the end of this turn, if anybody waits for it: whether the disk took it. */
  #written: Promise<boolean> | null = null;
  #lookedForDeadAt: number;
  #beatTimer: Timer | null = null;
  #closed = false;

  constructor(options: LedgerOptions, report: RecoveryReport) {
    const { books, folder, clock, chance, log } = options;
    this.processId = chance.id();
    this.#books = books;
    this.#clock = clock;
    this.#log = log;
    this.#recovery = report;
    this.#onBoundBreach = options.onBoundBreach ?? (() => {});
    this.#atEndOfTurn = options.atEndOfTurn ?? null;
    const recalls = options.recalls ?? null;
    this.#leasePolicy = { ...(options.leasePolicy ?? leasePolicy(options.alone, recalls !== null)) };
    this.#patience = new Patience(clock, chance, (cause) => this.#storeFailed(cause));
    this.#spools = options.spools ?? (() => false);
    this.#alerts = options.alerts === undefined ? null : new BudgetAlerts(options.alerts);
    const journal = new Journal(folder, this.processId, options.journalSizes);
    this.#journal = new LedgerJournal(journal, folder, this.#accounts, log);
    const leases = new Leases(
      books,
      this.processId,
      clock,
      chance,
      this.#patience,
      this.#leasePolicy,
      this.#accounts,
      () => this.#journal.tryWrite(),
    );
    this.#admission = new Admission(clock, leases, this.#patience, this.#leasePolicy, recalls);
    this.#flusher = new Flusher(books, this.processId, clock, this.#journal, this.#patience, options.flushPolicy);
    this.#flusher.onDuplicate = (record) =>
      log.error('A request id was used twice: its cost is not in the books.', { id: record.id, cost: record.cost });
    this.#recoverOthers = () => recover(folder, books, () => clock.now(), log, options.unknownCharge);
    this.#lookedForDeadAt = clock.now();
    this.#heartbeat = new Heartbeat(
      books,
      this.processId,
      clock,
      this.#accounts,
      leases,
      this.#patience,
      this.#leasePolicy,
    );
    recalls?.listen((account) => this.#heartbeat.recall(account));
    if (this.#leasePolicy.alone) this.#watchForOthers(folder);
    this.#scheduleBeat();
  }

  reserve(
    requestId: string,
    rules: readonly BudgetRule[],
    bound: Nanodollars,
  ): BudgetReservation | BudgetDenial | Promise<BudgetReservation | BudgetDenial> {
    if (this.#closed) throw shuttingDown();
    const now = this.#clock.now();
    const hold = this.#accounts.hold(requestId, rules, now);
    const verdict = this.#admission.admit(hold, bound, now);
    if (verdict instanceof Promise) return this.#reserved(hold, bound, verdict);
    if (verdict !== true) return this.#refused(hold, verdict);
    this.#openHolds += 1;
    return hold;
  }

  extend(reservation: BudgetReservation, extra: Nanodollars): boolean | Promise<boolean> {
    const hold = holdOf(reservation);
    if (hold.settled) return false;
    if (this.#closed) throw shuttingDown();
    // New money is judged by the caps of now, as far as this process has heard of them.
    hold.caps = hold.accounts.map(({ cap }) => cap);
    const verdict = this.#admission.admit(hold, extra, this.#clock.now());
    if (verdict instanceof Promise)
      return this.#decided(hold, extra, verdict).then((late) => this.#extended(hold, extra, late === true));
    return this.#extended(hold, extra, verdict === true);
  }

  attach(
    reservation: BudgetReservation,
    rules: readonly BudgetRule[],
    amount: Nanodollars,
  ): BudgetPart | BudgetDenial | Promise<BudgetPart | BudgetDenial> {
    const hold = holdOf(reservation);
    if (this.#closed) throw shuttingDown();
    const now = this.#clock.now();
    const part = this.#accounts.hold(hold.requestId, rules, now);
    const verdict = this.#admission.admit(part, amount, now);
    if (verdict instanceof Promise)
      return this.#decided(part, amount, verdict).then((late) => (late === true ? attached(hold, part) : late));
    return verdict === true ? attached(hold, part) : verdict;
  }

  detach(reservation: BudgetReservation, part: BudgetPart): void {
    const hold = holdOf(reservation);
    const parts = hold.parts.filter((other) => other !== part);
    if (parts.length === hold.parts.length) return;
    hold.parts = parts;
    giveUp(part as Hold, part.bound);
  }

  dispatched(reservation: BudgetReservation, note: DispatchNote): undefined | Promise<void> {
    const hold = holdOf(reservation);
    if (this.#atEndOfTurn !== null) return this.#noteWithOthers(hold, note, this.#atEndOfTurn);
    this.#note(hold, note);
    return undefined;
  }

  settle(reservation: BudgetReservation, record: RequestRecord): void {
    const hold = holdOf(reservation);
    if (hold.settled) return;
    hold.settled = true;
    this.#openHolds -= 1;
    const breached = record.cost > hold.bound;
    const kept = breached ? { ...record, metadata: { ...record.metadata, bound_breach: true } } : record;
    for (const account of hold.accounts) account.held -= hold.bound;
    for (const part of hold.parts) for (const account of part.accounts) account.held -= part.bound;
    let bearers = record.cost === 0 ? noAccounts : hold.bearers;
    if (hold.parts.length > 0) bearers = bearers.filter((account) => shareOf(account, record) > 0);
    for (const account of bearers) account.pending += shareOf(account, record);
    this.#keep(kept, bearers, hold);
    this.#alerts?.spent(hold);
    if (breached) this.#breached(kept, hold.bound);
  }

  record(record: RequestRecord): void {
    // Refusals while the disk has been full for long are the one thing that may go: they cost nothing.
    if (this.#journal.full) this.#unrecorded += 1;
    else this.#keep(record, [], null);
  }

  balance(rule: BudgetRule): AccountBalance {
    const account = this.#accounts.of(rule, this.#clock.now());
    return {
      spent: account.charged - account.lease + account.pending,
      held: account.held + account.leasedToOthers,
      resetAt: account.windowEnd,
    };
  }

  async reread(accounts: readonly AccountRef[]): Promise<void> {
    const now = this.#clock.now();
    const before = new Map<Account | undefined, number>();
    for (const { key, windowStart } of accounts) {
      const account = this.#accounts.find(key, windowStart);
      if (account !== undefined) before.set(account, account.changes);
    }
    for (const { key, windowStart, spent, leased } of await this.#books.balances(accounts)) {
      const account = this.#accounts.find(key, windowStart);
      // Whoever is at work on it, or was meanwhile, learns of the change anyway.
      if (account === undefined || account.underway > 0 || !account.lock.free) continue;
      if (before.get(account) !== account.changes) continue;
      // A lease that ended may stand under `spent`.
      if (account.lease > 0 && now >= account.goodUntil) continue;
      account.charged = spent + account.lease;
      account.chargedAt = now;
      account.leasedToOthers = Math.max(0, leased - account.lease);
    }
  }

  async flush(): Promise<void> {
    this.#journal.tryWrite();
    await this.#flusher.flush();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await closeBooks({
      books: this.#books,
      processId: this.processId,
      accounts: this.#accounts,
      journal: this.#journal,
      flusher: this.#flusher,
      patience: this.#patience,
    });
  }

  figures(): LedgerFigures {
    return {
      openHolds: this.#openHolds,
      openDispatches: this.#journal.open,
      pendingRecords: this.#flusher.pending,
      spooledRecords: this.#flusher.spooled,
      journalWritable: !this.#journal.broken,
      storeFailures: this.#storeFailures,
      boundBreaches: this.#boundBreaches,
      unrecorded: this.#unrecorded,
      accounts: this.#accounts.size,
      waiting: this.#admission.waiters,
      recovery: this.#recovery,
    };
  }

  /** The store's verdict; where it does not answer and the operator says so, that of the last known figures. */
  #decided(hold: Hold, amount: Nanodollars, verdict: Promise<true | BudgetDenial>): Promise<true | BudgetDenial> {
    return verdict.catch((cause) => {
      if (cause instanceof GatewayError && cause.code === 'budget_store_unavailable' && this.#spools())
        return this.#admission.admitUnseen(hold, amount);
      return closedError(cause);
    });
  }

  async #reserved(
    hold: Hold,
    bound: Nanodollars,
    verdict: Promise<true | BudgetDenial>,
  ): Promise<BudgetReservation | BudgetDenial> {
    const late = await this.#decided(hold, bound, verdict);
    if (late !== true) return this.#refused(hold, late);
    this.#openHolds += 1;
    return hold;
  }

  #refused(hold: Hold, denial: BudgetDenial): BudgetDenial {
    this.#alerts?.refused(hold, hold.rules.indexOf(denial.rule), denial.bound);
    return denial;
  }

  #extended(hold: Hold, extra: Nanodollars, admitted: boolean): boolean {
    if (!admitted) return false;
    try {
      if (!hold.settled && hold.note !== null) this.#note(hold, hold.note);
      if (!hold.settled) return true;
    } catch (cause) {
      giveUp(hold, extra);
      throw cause;
    }
    // It was settled while the store was asked.
    giveUp(hold, extra);
    return false;
  }

  /** Under a hard budget nothing is sent that is not on record; without one, nothing that could not be kept. */
  #note(hold: Hold, note: DispatchNote): void {
    this.#append(hold, note);
    if (!this.#journal.tryWrite() && hold.capped) throw unrecordable();
  }

  /** One write for everybody whose request leaves in this turn of the event loop. */
  async #noteWithOthers(hold: Hold, note: DispatchNote, atEndOfTurn: (work: () => void) => void): Promise<void> {
    this.#append(hold, note);
    this.#written ??= new Promise((resolve) => {
      atEndOfTurn(() => {
        this.#written = null;
        resolve(this.#journal.tryWrite());
      });
    });
    if (!(await this.#written) && hold.capped) throw unrecordable();
  }

  #append(hold: Hold, note: DispatchNote): void {
    if (this.#closed) throw shuttingDown();
    if (this.#journal.full && (!this.#journal.tryWrite() || this.#journal.full)) throw unrecordable();
    this.#journal.dispatched(hold, note);
  }

  #keep(record: RequestRecord, accounts: readonly Hold['accounts'][number][], hold: Hold | null): void {
    this.#flusher.push(this.#journal.recorded(record, accounts, hold));
    if (this.#writeScheduled) return;
    this.#writeScheduled = true;
    this.#clock.setTimer(settleDelayMs, () => {
      this.#writeScheduled = false;
      this.#journal.tryWrite();
    });
  }

  #breached(record: RequestRecord, bound: Nanodollars): void {
    this.#boundBreaches += 1;
    this.#log.error('A request cost more than the bound that was held for it: check the price of its model.', {
      id: record.id,
      deployment: record.deploymentId,
      model: record.modelUsed,
      bound,
      cost: record.cost,
    });
    this.#onBoundBreach(record, bound);
  }

  /** Another process may start on the same folder at any time; from then on slices must be shared. */
  #watchForOthers(folder: JournalFolder): void {
    if (this.#closed) return;
    if (folder.owners().length > 1) {
      const { alone, heartbeatMs } = leasePolicy(false, this.#leasePolicy.recalls);
      Object.assign(this.#leasePolicy, { alone, heartbeatMs });
      this.#scheduleBeat();
    } else this.#clock.setTimer(neighbourMs, () => this.#watchForOthers(folder));
  }

  #scheduleBeat(): void {
    this.#beatTimer?.cancel();
    this.#beatTimer = this.#clock.setTimer(this.#leasePolicy.heartbeatMs, () => {
      if (this.#closed) return;
      this.#beat().then(
        () => this.#scheduleBeat(),
        (cause) => {
          this.#storeFailed(cause);
          this.#scheduleBeat();
        },
      );
    });
  }

  async #beat(): Promise<void> {
    await this.#heartbeat.beat();
    const now = this.#clock.now();
    if (this.#leasePolicy.alone || now - this.#lookedForDeadAt < this.#leasePolicy.leaseMs / 2) return;
    this.#lookedForDeadAt = now;
    await this.#recoverOthers();
  }

  #storeFailed(cause: unknown): void {
    this.#storeFailures += 1;
    // One line at the beginning of an outage and then every hundredth failure.
    if (this.#storeFailures % 100 !== 1) return;
    this.#log.warn('The store of the budgets failed; trying again.', {
      failures: this.#storeFailures,
      pendingRecords: this.#flusher.pending,
      reason: cause instanceof Error ? cause.message : String(cause),
    });
  }
}

function holdOf(reservation: BudgetReservation): Hold {
  if (reservation instanceof Hold) return reservation;
  throw new TypeError('not a reservation of this ledger');
}

const noAccounts: Hold['accounts'] = [];

function attached(hold: Hold, part: Hold): BudgetPart | BudgetDenial {
  if (hold.settled) {
    // It was settled while the store was asked.
    const { bound } = part;
    giveUp(part, bound);
    return denial(part, 0, bound);
  }
  hold.parts = [...hold.parts, part];
  return part;
}

function giveUp(hold: Hold, amount: Nanodollars): void {
  for (const account of hold.accounts) account.held -= amount;
  hold.bound -= amount;
}

function shuttingDown(): GatewayError {
  return new GatewayError('shutting_down', 'The gateway is shutting down.', { retryAfterSeconds: 1 });
}

function closedError(cause: unknown): never {
  throw cause instanceof Closed ? shuttingDown() : cause;
}

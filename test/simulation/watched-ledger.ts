import type { AccountRef } from '../../src/core/books.ts';
import type { BudgetDenial, BudgetRule } from '../../src/core/limits.ts';
import type { Nanodollars } from '../../src/core/money.ts';
import type { AccountBalance, BudgetPart, BudgetReservation, DispatchNote, Ledger } from '../../src/core/ports.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import type { Ask, Incarnation, Oracle, Purchase } from './oracle.ts';

export interface Watch {
  readonly oracle: Oracle;
  readonly process: Incarnation;
  /** An error instead of a decision. */
  failed(ask: Ask, cause: unknown): void;
  /** What an oracle says of an answer that comes later must reach the step that is running. */
  guard(work: () => void): void;
  /** The note of a request is written, or its disk refused it. */
  dispatched(note: DispatchNote): void;
  isDiskFull(): boolean;
  /** M7: a settlement comes a second time, with another figure. */
  settlesTwice(): boolean;
}

/** The ledger of a process as its gateway sees it, with an oracle that hears every word. */
export class WatchedLedger implements Ledger {
  readonly #ledger: Ledger;
  readonly #watch: Watch;
  readonly #asks = new WeakMap<BudgetReservation, Ask>();
  readonly #parts = new WeakMap<BudgetPart, Ask>();

  constructor(ledger: Ledger, watch: Watch) {
    this.#ledger = ledger;
    this.#watch = watch;
  }

  reserve(
    requestId: string,
    rules: readonly BudgetRule[],
    bound: Nanodollars,
  ): BudgetReservation | BudgetDenial | Promise<BudgetReservation | BudgetDenial> {
    const ask = this.#ask(requestId, rules, bound);
    return this.#answered(
      ask,
      () => this.#ledger.reserve(requestId, rules, bound),
      (answer) => {
        if ('rule' in answer) this.#watch.oracle.refused(ask, answer);
        else {
          this.#watch.oracle.admitted(ask).bound += bound;
          this.#asks.set(answer, ask);
        }
      },
    );
  }

  extend(reservation: BudgetReservation, extra: Nanodollars): boolean | Promise<boolean> {
    const first = this.#asks.get(reservation)!;
    const ask = this.#watch.oracle.askedAgain(first, extra);
    return this.#answered(
      ask,
      () => this.#ledger.extend(reservation, extra),
      (isAdmitted) => {
        if (isAdmitted) this.#watch.oracle.admitted(ask).bound += extra;
        else if (this.#purchase(reservation).state === 'open') {
          const [{ account, cap }] = ask.chain as [Ask['chain'][number]];
          this.#watch.oracle.refused(ask, { account: account.name, cap } as unknown as BudgetDenial);
        } else this.#watch.oracle.forgotten(ask);
      },
    );
  }

  attach(
    reservation: BudgetReservation,
    rules: readonly BudgetRule[],
    amount: Nanodollars,
  ): BudgetPart | BudgetDenial | Promise<BudgetPart | BudgetDenial> {
    const ask = this.#ask(reservation.requestId, rules, amount);
    return this.#answered(
      ask,
      () => this.#ledger.attach(reservation, rules, amount),
      (answer) => {
        if ('rule' in answer) this.#watch.oracle.refused(ask, answer);
        else {
          this.#watch.oracle.admitted(ask);
          this.#parts.set(answer, ask);
        }
      },
    );
  }

  detach(reservation: BudgetReservation, part: BudgetPart): void {
    const ask = this.#parts.get(part);
    if (ask !== undefined && !this.#isDead) this.#watch.oracle.detached(this.#purchase(reservation), ask);
    this.#ledger.detach(reservation, part);
  }

  dispatched(reservation: BudgetReservation, note: DispatchNote): undefined | Promise<void> {
    const purchase = this.#purchase(reservation);
    purchase.noted = true;
    const written = this.#ledger.dispatched(reservation, note);
    const noted = () => {
      if (this.#isDead) return;
      purchase.unwritten ||= this.#watch.isDiskFull();
      this.#watch.dispatched(note);
    };
    if (written !== undefined) return written.then(noted);
    noted();
    return undefined;
  }

  settle(reservation: BudgetReservation, record: RequestRecord): void {
    if (this.#isDead) return;
    const purchase = this.#purchase(reservation);
    // What had no end when the process was stopped may have been charged from its journal already.
    const isCharged = purchase.state === 'recorded' && this.#watch.process.wasCut;
    if (!isCharged) this.#watch.guard(() => this.#watch.oracle.settled(purchase, record));
    this.#ledger.settle(reservation, record);
    if (this.#watch.settlesTwice()) this.#ledger.settle(reservation, { ...record, cost: record.cost + 7 });
  }

  record(record: RequestRecord): void {
    if (!this.#isDead) this.#ledger.record(record);
  }

  balance(rule: BudgetRule): AccountBalance {
    return this.#ledger.balance(rule);
  }

  reread(accounts: readonly AccountRef[]): Promise<void> {
    return this.#ledger.reread(accounts);
  }

  flush(): Promise<void> {
    return this.#ledger.flush();
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }

  get #isDead(): boolean {
    return this.#watch.process.crashed;
  }

  #ask(requestId: string, rules: readonly BudgetRule[], amount: Nanodollars): Ask {
    return this.#watch.oracle.asked(requestId, this.#watch.process, rules, amount);
  }

  #purchase({ requestId }: BudgetReservation): Purchase {
    return this.#watch.oracle.purchases.get(requestId)!;
  }

  /** The oracle hears of an answer before whoever asked does. */
  #answered<Answer>(
    ask: Ask,
    question: () => Answer | Promise<Answer>,
    heard: (answer: Answer) => void,
  ): Answer | Promise<Answer> {
    const { guard, oracle } = this.#watch;
    const hear = (answer: Answer) => {
      if (this.#isDead) oracle.forgotten(ask);
      else guard(() => heard(answer));
      return answer;
    };
    const failed = (cause: unknown): never => {
      oracle.forgotten(ask);
      if (!this.#isDead) guard(() => this.#watch.failed(ask, cause));
      throw cause;
    };
    try {
      const answer = question();
      return answer instanceof Promise ? answer.then(hear, failed) : hear(answer);
    } catch (cause) {
      return failed(cause);
    }
  }
}

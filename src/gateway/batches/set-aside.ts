import { GatewayError } from '../../core/errors.ts';
import type { Funds, Planned } from '../../core/exchange.ts';
import type { BudgetDenial, BudgetRule } from '../../core/limits.ts';
import { assertNanodollars, type Nanodollars, nanodollarsMax } from '../../core/money.ts';
import type { BudgetPart, BudgetReservation, Ledger } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { Gateway } from '../gateway.ts';
import { budgetExceeded } from '../limits/budget-refusal.ts';

/** Requests of one model: they stand under the same budgets. */
interface Pot {
  readonly rules: readonly BudgetRule[];
  remaining: Nanodollars;
  part: BudgetPart | null;
}

/**
 * Money held for requests that will be sent later: the sum of their bounds, all or none. Each request takes its own bound out
 * of it in the same step in which it holds it itself, so that nobody else gets in between.
 */
export class SetAside {
  readonly #ledger: Ledger;
  readonly #base: BudgetReservation;
  readonly #pots = new Map<string, Pot>();
  #isOver = false;

  constructor(ledger: Ledger, base: BudgetReservation) {
    this.#ledger = ledger;
    this.#base = base;
  }

  /** Counts a request in; nothing is held before `hold`. */
  add(model: string, rules: readonly BudgetRule[], bound: Nanodollars): void {
    const pot = this.#pots.get(model);
    if (pot === undefined) this.#pots.set(model, { rules, remaining: bound, part: null });
    else pot.remaining = Math.min(nanodollarsMax, pot.remaining + bound);
  }

  /** Throws GatewayError('budget_exceeded') when the sum does not fit. */
  async hold(gateway: Gateway, example: Planned): Promise<void> {
    for (const pot of this.#pots.values()) {
      if (pot.rules.length === 0) continue;
      const held = await this.#ledger.attach(this.#base, pot.rules, assertNanodollars(pot.remaining));
      if (isDenial(held)) throw budgetExceeded(held, example, gateway.clock.now());
      pot.part = held;
    }
  }

  /** What a request takes with it: `bound` leaves the pot when the request holds it. */
  funds(model: string, bound: Nanodollars): Funds {
    let isTaken = false;
    return {
      release: () => {
        if (isTaken || this.#isOver) return;
        isTaken = true;
        this.#shrink(model, bound);
      },
    };
  }

  #shrink(model: string, bound: Nanodollars): void {
    const pot = this.#pots.get(model);
    if (pot === undefined) return;
    pot.remaining = Math.max(0, pot.remaining - bound);
    if (pot.part === null) return;
    this.#ledger.detach(this.#base, pot.part);
    pot.part = null;
    if (pot.remaining === 0) return;
    const held = this.#ledger.attach(this.#base, pot.rules, pot.remaining);
    if (!(held instanceof Promise)) {
      if (!isDenial(held)) pot.part = held;
      return;
    }
    // What was just given up is asked for again: only a store that is away can say no, and then each request asks for itself.
    held.then(
      (late) => {
        if (!isDenial(late)) pot.part = late;
      },
      () => undefined,
    );
  }

  /** Everything that is left goes back; the work as such is on record. */
  end(record: (id: string) => RequestRecord): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ledger.settle(this.#base, record(this.#base.requestId));
  }
}

function isDenial(answer: object): answer is BudgetDenial {
  return 'rule' in answer;
}

/** A hold of nothing, for parts to be added to. */
export async function emptyHold(ledger: Ledger, requestId: string): Promise<BudgetReservation> {
  const held = await ledger.reserve(requestId, [], 0);
  if (isDenial(held)) throw new GatewayError('internal', 'a hold of nothing was refused');
  return held as BudgetReservation;
}

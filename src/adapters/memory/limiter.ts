import { limitName, type RateLimitClaim, type RateLimitDenial, type RateLimitRule } from '../../core/limits.ts';
import type { Clock, Limiter, RateLimitReservation } from '../../core/ports.ts';
import { SlidingCounter } from './sliding-counter.ts';

/** Counters looked at for removal with every reservation: more than can be added, so that none outlives its use for long. */
const sweptPerReservation = 8;
/** So few need no sweeping. */
const keptUnswept = 64;

/**
 * Rate limits of one process: sliding windows of 60 s for requests and tokens, slots for parallel requests. All claims or
 * none, each in constant time; a counter nobody uses any more is dropped.
 */
export function createMemoryLimiter(clock: Clock): MemoryLimiter {
  return new MemoryLimiter(clock);
}

class Reservation implements RateLimitReservation {
  readonly claims: readonly RateLimitClaim[];
  readonly remaining: number[] = [];
  readonly resetAt: number[] = [];
  readonly counters: SlidingCounter[];
  /** Slot of time in which the claims were counted. */
  readonly slot: number;
  over = false;

  constructor(claims: readonly RateLimitClaim[], counters: SlidingCounter[], slot: number) {
    this.claims = claims;
    this.counters = counters;
    this.slot = slot;
  }
}

class MemoryLimiter implements Limiter {
  readonly #clock: Clock;
  readonly #counters = new Map<string, SlidingCounter>();
  /** Rules are frozen and live as long as a key is cached: most look-ups need no text. */
  readonly #byRule = new WeakMap<RateLimitRule, SlidingCounter>();
  #sweep: MapIterator<[string, SlidingCounter]>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sweep = this.#counters.entries();
  }

  /** Requests and tokens that were counted in the last window, by limit. */
  *counted(): Generator<{ readonly rule: RateLimitRule; readonly ageMs: number; readonly amount: number }> {
    const tick = this.#clock.tick();
    for (const counter of this.#counters.values()) {
      const { rule } = counter;
      if (rule === null || rule.metric === 'parallel') continue;
      counter.advance(SlidingCounter.slotAt(tick));
      for (const { ageMs, amount } of counter.counted(tick)) yield { rule, ageMs, amount };
    }
  }

  /** How many counters are kept. */
  get size(): number {
    return this.#counters.size;
  }

  /** In the window, or open, of the limit with this name. */
  used(limit: string): number {
    const counter = this.#counters.get(limit);
    if (counter === undefined) return 0;
    counter.advance(SlidingCounter.slotAt(this.#clock.tick()));
    return counter.rule?.metric === 'parallel' ? counter.open : counter.total;
  }

  reserve(_requestId: string, claims: readonly RateLimitClaim[]): RateLimitReservation | RateLimitDenial {
    const tick = this.#clock.tick();
    const slot = SlidingCounter.slotAt(tick);
    this.#sweepSome(slot);
    const counters: SlidingCounter[] = [];
    for (const { rule, amount } of claims) {
      const counter = this.#counterOf(rule);
      counter.advance(slot);
      const used = rule.metric === 'parallel' ? counter.open : counter.total;
      if (used + amount > rule.limit) return { rule, used, resetAt: this.#resetAt(counter, rule, amount) };
      counters.push(counter);
    }
    return this.#counted(claims, counters, slot, tick);
  }

  /** Counts what somebody else has admitted, whether it fits or not. */
  count(claims: readonly RateLimitClaim[]): RateLimitReservation {
    const tick = this.#clock.tick();
    const slot = SlidingCounter.slotAt(tick);
    this.#sweepSome(slot);
    const counters = claims.map(({ rule }) => this.#counterOf(rule));
    for (const counter of counters) counter.advance(slot);
    return this.#counted(claims, counters, slot, tick);
  }

  #counted(claims: readonly RateLimitClaim[], counters: SlidingCounter[], slot: number, tick: number): Reservation {
    const reservation = new Reservation(claims, counters, slot);
    const now = this.#clock.now();
    for (let index = 0; index < claims.length; index++) {
      const { rule, amount } = claims[index]!;
      const counter = counters[index]!;
      const parallel = rule.metric === 'parallel';
      if (parallel) counter.open += amount;
      else counter.add(slot, amount);
      reservation.remaining.push(Math.max(0, rule.limit - (parallel ? counter.open : counter.total)));
      reservation.resetAt.push(parallel ? now : now + counter.msUntilEmpty(tick));
    }
    return reservation;
  }

  settle(
    _requestId: string,
    reservation: RateLimitReservation,
    usage: { inputTokens: number; outputTokens: number },
  ): void {
    this.#end(reservation, (rule) => {
      if (rule.metric === 'requests') return null;
      if (rule.tokens === 'input') return usage.inputTokens;
      return rule.tokens === 'output' ? usage.outputTokens : usage.inputTokens + usage.outputTokens;
    });
  }

  release(_requestId: string, reservation: RateLimitReservation): void {
    this.#end(reservation, () => 0);
  }

  /** Puts the true amount in place of the reserved one (null leaves it), once. */
  #end(reservation: RateLimitReservation, trueAmount: (rule: RateLimitRule) => number | null): void {
    if (!(reservation instanceof Reservation) || reservation.over) return;
    reservation.over = true;
    const { claims, counters, slot } = reservation;
    const nowSlot = SlidingCounter.slotAt(this.#clock.tick());
    for (let index = 0; index < claims.length; index++) {
      const { rule, amount } = claims[index]!;
      const counter = counters[index]!;
      if (rule.metric === 'parallel') {
        counter.open -= amount;
        continue;
      }
      const truth = trueAmount(rule);
      if (truth === null || truth === amount) continue;
      counter.advance(nowSlot);
      counter.correct(slot, truth - amount);
    }
  }

  #resetAt(counter: SlidingCounter, rule: RateLimitRule, amount: number): number {
    const now = this.#clock.now();
    if (rule.metric === 'parallel') return now;
    return now + counter.msUntilFree(this.#clock.tick(), counter.total + amount - rule.limit);
  }

  #counterOf(rule: RateLimitRule): SlidingCounter {
    const known = this.#byRule.get(rule);
    if (known !== undefined && !known.dropped) return known;
    const key = limitName(rule);
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = new SlidingCounter();
      counter.rule = rule;
      this.#counters.set(key, counter);
    }
    this.#byRule.set(rule, counter);
    return counter;
  }

  #sweepSome(slot: number): void {
    if (this.#counters.size <= keptUnswept) return;
    for (let swept = 0; swept < sweptPerReservation; swept++) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#counters.entries();
        return;
      }
      const [key, counter] = next.value;
      counter.advance(slot);
      if (counter.isIdle) {
        counter.dropped = true;
        this.#counters.delete(key);
      }
    }
  }
}

export type { MemoryLimiter };

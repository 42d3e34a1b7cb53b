import type { RateLimitClaim, RateLimitDenial, RateLimitRule } from '../../src/core/limits.ts';
import type { Clock, Limiter, RateLimitReservation } from '../../src/core/ports.ts';
import { Violation } from './violation.ts';

const windowMs = 60_000;

/** S20: what is admitted in any minute, and at once, stays within the limit. */
export class WatchedLimiter implements Limiter {
  readonly #limiter: Limiter;
  readonly #clock: Clock;
  readonly #guard: (work: () => void) => void;
  readonly #admitted = new Map<RateLimitRule, number[]>();
  readonly #open = new Map<RateLimitRule, number>();
  readonly #reservations = new Set<RateLimitReservation>();

  constructor(limiter: Limiter, clock: Clock, guard: (work: () => void) => void) {
    this.#limiter = limiter;
    this.#clock = clock;
    this.#guard = guard;
  }

  /** Reservations that nobody has ended. */
  get openCount(): number {
    return this.#reservations.size;
  }

  reserve(requestId: string, claims: readonly RateLimitClaim[]): RateLimitReservation | RateLimitDenial {
    const answer = this.#limiter.reserve(requestId, claims) as RateLimitReservation | RateLimitDenial;
    if ('rule' in answer) return answer;
    this.#reservations.add(answer);
    const now = this.#clock.tick();
    for (const { rule } of claims) {
      if (rule.metric === 'parallel') this.#open.set(rule, (this.#open.get(rule) ?? 0) + 1);
      if (rule.metric === 'requests') {
        const recent = (this.#admitted.get(rule) ?? []).filter((at) => now - at < windowMs);
        this.#admitted.set(rule, [...recent, now]);
      }
      const count = (rule.metric === 'requests' ? this.#admitted.get(rule)?.length : this.#open.get(rule)) ?? 0;
      if (count > rule.limit) {
        this.#guard(() => {
          throw new Violation(`S20: ${count} ${rule.metric} of ${rule.id} where ${rule.limit} are allowed`);
        });
      }
    }
    return answer;
  }

  settle(
    requestId: string,
    reservation: RateLimitReservation,
    usage: { inputTokens: number; outputTokens: number },
  ): void {
    this.#ended(reservation, false);
    this.#limiter.settle(requestId, reservation, usage);
  }

  release(requestId: string, reservation: RateLimitReservation): void {
    this.#ended(reservation, true);
    this.#limiter.release(requestId, reservation);
  }

  #ended(reservation: RateLimitReservation, isForgotten: boolean): void {
    if (!this.#reservations.delete(reservation)) return;
    for (const { rule } of reservation.claims) {
      if (rule.metric === 'parallel') this.#open.set(rule, this.#open.get(rule)! - 1);
      // Which of them it was makes no difference for a count that is too high: the youngest is the most lenient.
      else if (isForgotten) this.#admitted.get(rule)?.pop();
    }
  }
}

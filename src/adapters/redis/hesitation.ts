import type { Clock } from '../../core/ports.ts';

/** So many calls without an answer say as much as any number: the breaker opens by as many. */
const unansweredMax = 8;
/** A server that is well has answered something by then, also when hundreds were asked at once. */
const silenceMs = 5;

/**
 * Holds calls back while earlier ones wait for an answer that does not come. The next answer, to whomever, lets them go; so
 * they cost nothing while all is well, and one that is slow or gone is called about eight times in vain, at any pace.
 */
export class Hesitation {
  readonly #clock: Pick<Clock, 'tick'>;
  #unanswered = 0;
  /** Since the last answer, or since something was asked for the first time. */
  #silentSinceTick = 0;
  #held: (() => void)[] = [];
  /** Answers to what was asked before it was last forgotten count for nothing. */
  #epoch = 0;

  constructor(clock: Pick<Clock, 'tick'>) {
    this.#clock = clock;
  }

  get isOn(): boolean {
    // Nobody overtakes what is held.
    if (this.#held.length > 0) return true;
    return this.#unanswered >= unansweredMax && this.#clock.tick() - this.#silentSinceTick > silenceMs;
  }

  /** Until the next answer. */
  hold(send: () => void): void {
    this.#held.push(send);
  }

  /** A call is made; what is returned belongs to its end. */
  asked(): number {
    if (this.#unanswered === 0) this.#silentSinceTick = this.#clock.tick();
    this.#unanswered += 1;
    return this.#epoch;
  }

  /** By the server, with whatever: it lives. */
  answered(epoch: number): void {
    this.#silentSinceTick = this.#clock.tick();
    this.ended(epoch);
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const send of held) send();
  }

  /** Without a word of the server. */
  ended(epoch: number): void {
    if (epoch === this.#epoch) this.#unanswered -= 1;
  }

  /** The server is given up, or found again. */
  forget(): void {
    this.#unanswered = 0;
    this.#held = [];
    this.#epoch += 1;
  }
}

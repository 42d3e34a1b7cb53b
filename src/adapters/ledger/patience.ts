import type { Chance, Clock } from '../../core/ports.ts';

const firstPauseMs = 20;
const longestPauseMs = 5_000;

export class Closed extends Error {
  constructor() {
    super('the ledger is closed');
    this.name = 'Closed';
  }
}

/** Asks the store again and again, with growing pauses, until it gives a definite answer. */
export class Patience {
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #failed: (cause: unknown) => void;
  #closed = false;
  #failing = false;

  constructor(clock: Clock, chance: Chance, failed: (cause: unknown) => void) {
    this.#clock = clock;
    this.#chance = chance;
    this.#failed = failed;
  }

  /** From now on a failure is final: `until` rejects with Closed instead of asking again. */
  close(): void {
    this.#closed = true;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The last that was heard of the store is that it failed, or nothing in time. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Somebody waited in vain. */
  missed(): void {
    this.#failing = true;
  }

  async until<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      try {
        const answer = await ask();
        this.#failing = false;
        return answer;
      } catch (cause) {
        this.#failing = true;
        this.#failed(cause);
        if (this.#closed) throw new Closed();
      }
      await this.pause(pauseMs * (0.5 + this.#chance.fraction()));
    }
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(delayMs, resolve));
  }

  /** The answer, or undefined when it does not come in time; the asking goes on either way. */
  within<Answer>(limitMs: number, answer: Promise<Answer>): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(limitMs, () => resolve(undefined));
      answer.then(
        (value) => {
          timer.cancel();
          resolve(value);
        },
        (cause) => {
          timer.cancel();
          reject(cause);
        },
      );
    });
  }
}

import type { Chance, Clock } from '../../core/ports.ts';

const firstPauseMs = 20;
/** With chance up to half as long again: a store that is back is in use within 5 s. */
const longestPauseMs = 2_500;
/** A call that is out for longer than this, with no answer to any other, says that the store is away. */
const silenceMs = 1_500;
const lookEveryMs = 100;

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
  /** When the calls that are out were made, monotonic, the oldest first. */
  readonly #underway = new Set<{ readonly tick: number }>();
  #answerTick = Number.NEGATIVE_INFINITY;

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

  /** The last that was heard of the store is that it failed, or it has said nothing for long although it was asked. */
  get failing(): boolean {
    if (this.#failing) return true;
    for (const { tick } of this.#underway) return this.#clock.tick() - Math.max(tick, this.#answerTick) > silenceMs;
    return false;
  }

  async until<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      const call = { tick: this.#clock.tick() };
      this.#underway.add(call);
      try {
        const answer = await ask();
        this.#failing = false;
        this.#answerTick = this.#clock.tick();
        return answer;
      } catch (cause) {
        this.#failing = true;
        this.#failed(cause);
        if (this.#closed) throw new Closed();
      } finally {
        this.#underway.delete(call);
      }
      await this.pause(pauseMs * (0.5 + this.#chance.fraction()));
    }
  }

  /**
   * The store's answer, or undefined after `limitMs`; already after `downMs` when the store is away, also when that is noticed
   * only meanwhile.
   */
  async whileItAnswers<Answer>(
    beganTick: number,
    limitMs: number,
    downMs: number,
    answer: Promise<Answer>,
  ): Promise<Answer | undefined> {
    for (;;) {
      const waitedMs = this.#clock.tick() - beganTick;
      const leftMs = (this.failing ? downMs : limitMs) - waitedMs;
      const found = await this.within(Math.max(0, Math.min(leftMs, lookEveryMs)), answer);
      if (found !== undefined) return found;
      if (this.#clock.tick() - beganTick >= (this.failing ? downMs : limitMs)) return undefined;
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

import type { Clock } from '../../core/ports.ts';

/** A request that would fit waits so long for others to give up what they do not use, and again. */
const waitsMs = [20, 60, 150] as const;
/** Nobody answered: somebody is out of reach, and will be for a while. */
const inVainMs = 1_000;
const askedAgainMs = 100;
const rememberedMax = 10_000;

interface Asked {
  tick: number;
  inVainUntilTick: number;
}

/** Asks other replicas to give up their right to what they do not use of a limit: early, when room gets scarce, or when there is none. */
export class Recalls {
  readonly #clock: Pick<Clock, 'tick' | 'setTimer'>;
  readonly #publish: (limit: string) => void;
  readonly #asked = new Map<string, Asked>();

  constructor(clock: Pick<Clock, 'tick' | 'setTimer'>, publish: (limit: string) => void) {
    this.#clock = clock;
    this.#publish = publish;
  }

  ask(limit: string): void {
    const tick = this.#clock.tick();
    const asked = this.#asked.get(limit);
    if (asked !== undefined && tick - asked.tick < askedAgainMs) return;
    if (asked === undefined) {
      if (this.#asked.size >= rememberedMax) this.#asked.clear();
      this.#asked.set(limit, { tick, inVainUntilTick: Number.NEGATIVE_INFINITY });
    } else asked.tick = tick;
    this.#publish(limit);
  }

  /** Whether there is hope: resolves when it is time to try again. `round` counts from 0. */
  async wait(limit: string, round: number): Promise<boolean> {
    this.ask(limit);
    const asked = this.#asked.get(limit)!;
    const tick = this.#clock.tick();
    if (tick < asked.inVainUntilTick) return false;
    const waitMs = waitsMs[round];
    if (waitMs === undefined) {
      asked.inVainUntilTick = tick + inVainMs;
      return false;
    }
    await new Promise<void>((resolve) => this.#clock.setTimer(waitMs, resolve));
    return true;
  }
}

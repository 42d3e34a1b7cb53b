import { limitName, type RateLimitRule } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import type { Recall } from '../redis/change-channel.ts';

/** A request that would fit waits so long for others to give up what they do not use, and again. */
const waitsMs = [20, 60, 150, 300] as const;
/** Nobody answered: somebody is out of reach, and will be for a while. */
const inVainMs = 1_000;
/** How soon the same is asked again: when something is lacking now, and when it will be. */
const askedAgainMs = 15;
const askedEarlyMs = 100;
const rememberedMax = 10_000;

interface Asked {
  tick: number;
  inVainUntilTick: number;
}

/** Asks other replicas to give up their right to what they do not use of a limit: early, when room gets scarce, or when there is none. */
export class Recalls {
  readonly #clock: Pick<Clock, 'tick' | 'setTimer'>;
  readonly #publish: (recall: Recall) => void;
  readonly #asked = new Map<string, Asked>();

  constructor(clock: Pick<Clock, 'tick' | 'setTimer'>, publish: (recall: Recall) => void) {
    this.#clock = clock;
    this.#publish = publish;
  }

  ask(rule: RateLimitRule, lacking = 0): void {
    const tick = this.#clock.tick();
    const limit = limitName(rule);
    const asked = this.#asked.get(limit);
    if (asked !== undefined && tick - asked.tick < (lacking > 0 ? askedAgainMs : askedEarlyMs)) return;
    if (asked === undefined) {
      if (this.#asked.size >= rememberedMax) this.#asked.clear();
      this.#asked.set(limit, { tick, inVainUntilTick: Number.NEGATIVE_INFINITY });
    } else asked.tick = tick;
    this.#publish({ limit, height: rule.limit, lacking });
  }

  /** After it was asked for: whether there is hope; resolves when it is time to try again. `round` counts from 0. */
  async wait(rule: RateLimitRule, round: number): Promise<boolean> {
    const limit = limitName(rule);
    const asked = this.#asked.get(limit);
    const tick = this.#clock.tick();
    if (asked !== undefined && tick < asked.inVainUntilTick) return false;
    const waitMs = waitsMs[round];
    if (waitMs === undefined) {
      if (asked !== undefined) asked.inVainUntilTick = tick + inVainMs;
      return false;
    }
    await new Promise<void>((resolve) => this.#clock.setTimer(waitMs, resolve));
    return true;
  }
}

import type { Clock, Timer } from '../../src/core/ports.ts';

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly ring: () => void;
  cancelled: boolean;
}

/** Time that moves only when told to. Everything that becomes due happens in order, one thing after the other. */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  #alarms: Alarm[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  tick(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.#order += 1;
    const alarm = { at: this.#now + Math.max(0, delayMs), order: this.#order, ring: callback, cancelled: false };
    let place = this.#alarms.length;
    while (place > 0 && this.#alarms[place - 1]!.at > alarm.at) place -= 1;
    this.#alarms.splice(place, 0, alarm);
    return {
      cancel() {
        alarm.cancelled = true;
      },
    };
  }

  /** Lets time pass; resolves when all that was due, and all that followed from it, has happened. */
  async advance(delayMs: number): Promise<void> {
    const until = this.#now + delayMs;
    await settled();
    for (;;) {
      const next = this.#alarms[0];
      if (next === undefined || next.at > until) break;
      this.#alarms.shift();
      if (next.cancelled) continue;
      this.#now = Math.max(this.#now, next.at);
      next.ring();
      await settled();
    }
    this.#now = until;
  }
}

/** Resolves when no promise reaction is waiting any more. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

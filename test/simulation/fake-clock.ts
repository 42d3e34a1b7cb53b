import type { Clock, Timer } from '../../src/core/ports.ts';

class Alarm implements Timer {
  readonly at: number;
  readonly order: number;
  ring: (() => void) | null;

  constructor(at: number, order: number, ring: () => void) {
    this.at = at;
    this.order = order;
    this.ring = ring;
  }

  cancel(): void {
    this.ring = null;
  }

  isBefore(other: Alarm): boolean {
    return this.at < other.at || (this.at === other.at && this.order < other.order);
  }
}

/** Time that moves only when told to. Everything that becomes due happens in order, one thing after the other. */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  /** A binary heap, the earliest alarm first. */
  readonly #alarms: Alarm[] = [];
  /** What waits for the end of this turn of the event loop. */
  #atEndOfTurn: (() => void)[] = [];

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
    const alarm = new Alarm(this.#now + Math.max(0, delayMs), this.#order, callback);
    this.#insert(alarm);
    return alarm;
  }

  /** Does something when nothing else is left to do at this moment. */
  atEndOfTurn(work: () => void): void {
    this.#atEndOfTurn.push(work);
  }

  /** Lets time pass; resolves when all that was due, and all that followed from it, has happened. */
  async advance(delayMs: number): Promise<void> {
    const until = this.#now + delayMs;
    await this.#settled();
    for (;;) {
      const next = this.#alarms[0];
      if (next === undefined || next.at > until) break;
      this.#removeFirst();
      const { ring } = next;
      if (ring === null) continue;
      this.#now = Math.max(this.#now, next.at);
      next.ring = null;
      ring();
      await this.#settled();
    }
    this.#now = until;
  }

  #insert(alarm: Alarm): void {
    const alarms = this.#alarms;
    let at = alarms.length;
    alarms.push(alarm);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!alarm.isBefore(alarms[parent]!)) break;
      alarms[at] = alarms[parent]!;
      at = parent;
    }
    alarms[at] = alarm;
  }

  #removeFirst(): void {
    const alarms = this.#alarms;
    const last = alarms.pop()!;
    const { length } = alarms;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && alarms[child + 1]!.isBefore(alarms[child]!)) child += 1;
      if (!alarms[child]!.isBefore(last)) break;
      alarms[at] = alarms[child]!;
      at = child;
    }
    alarms[at] = last;
  }

  /** Resolves when no promise reaction is waiting any more, and no turn has an end to come. */
  async #settled(): Promise<void> {
    await new Promise(afterReactions);
    while (this.#atEndOfTurn.length > 0) {
      for (const work of this.#atEndOfTurn.splice(0)) work();
      await new Promise(afterReactions);
    }
  }
}

/** The queue of ticks has its turn whenever that of the reactions is empty, without a turn of the event loop. */
function afterReactions(resolve: (nothing: undefined) => void): void {
  process.nextTick(resolve);
}

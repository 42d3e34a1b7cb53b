import type { Clock, Timer } from '../../core/ports.ts';

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly ring: () => void;
  isCancelled: boolean;
}

/** Time that jumps from one event to the next: a week is over in seconds. Timers ring in order of time, then of making. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #heap: Alarm[] = [];

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
    const alarm = { at: this.#now + Math.max(0, delayMs), order: this.#order++, ring: callback, isCancelled: false };
    this.#push(alarm);
    return {
      cancel() {
        alarm.isCancelled = true;
      },
    };
  }

  /** Everything that is due until then happens. */
  runUntil(time: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= time; next = this.#heap[0]) {
      this.#pop();
      if (next.isCancelled) continue;
      this.#now = Math.max(this.#now, next.at);
      next.ring();
    }
    if (time !== Number.POSITIVE_INFINITY) this.#now = Math.max(this.#now, time);
  }

  #push(alarm: Alarm): void {
    const heap = this.#heap;
    let place = heap.push(alarm) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (isBefore(heap[parent]!, alarm)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = alarm;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(one: Alarm, other: Alarm): boolean {
  return one.at === other.at ? one.order < other.order : one.at < other.at;
}

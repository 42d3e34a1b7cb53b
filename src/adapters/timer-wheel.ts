import type { Timer } from '../core/ports.ts';

const turnMs = 8;
const slotCount = 1024;

/**
 * Hashed timing wheel (Varghese and Lauck, 1987): setting and cancelling a timer is a few pointer writes, which matters
 * because every request sets several and cancels nearly all. Timers fire on the first turn after they are due, so up to
 * one turn late and never early; the wheel stands still while it holds none.
 */
export class TimerWheel {
  readonly #slots: WheelTimer[] = Array.from({ length: slotCount }, () => new WheelTimer(nothing));
  readonly #startedAt = performance.now();
  readonly #turn = (): void => this.#advance();
  #native: NodeJS.Timeout | null = null;
  #turnsDone = 0;
  #count = 0;

  setTimer(delayMs: number, callback: () => void): Timer {
    const elapsedMs = performance.now() - this.#startedAt;
    if (this.#count === 0) this.#turnsDone = Math.floor(elapsedMs / turnMs);
    const timer = new WheelTimer(callback);
    timer.due = Math.max(this.#turnsDone + 1, Math.ceil((elapsedMs + delayMs) / turnMs));
    timer.wheel = this;
    link(this.#slots[timer.due % slotCount] as WheelTimer, timer);
    this.#count += 1;
    this.#native ??= setTimeout(this.#turn, turnMs).unref();
    return timer;
  }

  /** Called by a timer that has been taken out of its slot. */
  released(): void {
    this.#count -= 1;
  }

  #advance(): void {
    this.#native = null;
    const turn = Math.floor((performance.now() - this.#startedAt) / turnMs);
    // After a long stall of the event loop one look at every slot is enough.
    const first = Math.max(this.#turnsDone + 1, turn - slotCount + 1);
    this.#turnsDone = turn;
    try {
      for (let slot = first; slot <= turn; slot += 1) this.#fire(this.#slots[slot % slotCount] as WheelTimer, turn);
    } finally {
      if (this.#count > 0) this.#native ??= setTimeout(this.#turn, turnMs).unref();
    }
  }

  #fire(head: WheelTimer, turn: number): void {
    let timer = head.next;
    while (timer !== head) {
      // A callback may cancel any timer, so the next one is looked up only after it ran.
      if (timer.due > turn) {
        timer = timer.next;
        continue;
      }
      const callback = timer.callback;
      timer.cancel();
      callback();
      timer = head.next;
    }
  }
}

class WheelTimer implements Timer {
  next: WheelTimer = this;
  previous: WheelTimer = this;
  wheel: TimerWheel | null = null;
  callback: () => void;
  due = 0;

  constructor(callback: () => void) {
    this.callback = callback;
  }

  cancel(): void {
    if (this.wheel === null) return;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
    this.wheel.released();
    this.wheel = null;
    this.callback = nothing;
  }
}

function link(head: WheelTimer, timer: WheelTimer): void {
  timer.next = head;
  timer.previous = head.previous;
  head.previous.next = timer;
  head.previous = timer;
}

function nothing(): void {}

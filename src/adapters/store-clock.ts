import type { Clock, Log, Timer } from '../core/ports.ts';

export interface StoreClockOptions {
  /** The machine's: its monotonic time and its timers are used, its time of day is not. */
  readonly machine: Clock;
  /** What the store's clock shows, unix milliseconds. Rejects when the store does not answer. */
  readonly ask: () => Promise<number>;
  readonly log: Log;
}

/** One answer among so many is quick enough to tell the time by. */
const firstQuestions = 3;
const askEveryMs = 5_000;
/** A difference that an operator should know of. */
const strangeMs = 2_000;

/**
 * The time as the store has it, which all replicas share: it decides windows, leases and the ends of keys, whatever the clocks of
 * the machines say. Between two answers the monotonic clock of the machine carries it on, so that a clock that is set forward or back here
 * changes nothing.
 */
export class StoreClock implements Clock {
  readonly #options: StoreClockOptions;
  /** The store's time less the machine's monotonic time. */
  #lead: number;
  #timer: Timer | null = null;
  #isClosed = false;

  private constructor(options: StoreClockOptions, lead: number) {
    this.#options = options;
    this.#lead = lead;
  }

  /** Rejects when the store does not answer. */
  static async follow(options: StoreClockOptions): Promise<StoreClock> {
    let best = await measured(options);
    for (let question = 1; question < firstQuestions; question++) {
      const next = await measured(options);
      if (next.latest - next.earliest < best.latest - best.earliest) best = next;
    }
    const clock = new StoreClock(options, middle(best));
    const difference = clock.now() - options.machine.now();
    if (Math.abs(difference) > strangeMs) {
      options.log.warn(
        'The clock of this machine differs from that of the database server, which is the one that counts.',
        {
          aheadMs: -difference,
        },
      );
    }
    clock.#schedule();
    return clock;
  }

  now(): number {
    return Math.floor(this.#lead + this.#options.machine.tick());
  }

  tick(): number {
    return this.#options.machine.tick();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#options.machine.setTimer(delayMs, callback);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.setTimer(askEveryMs, () => {
      measured(this.#options)
        .then((bounds) => this.#correct(bounds))
        // The store is away: the machine's monotonic clock goes on as well as any.
        .catch(() => {})
        .finally(() => this.#schedule());
    });
  }

  /** Changes no more than an answer proves wrong: one that took long says little, and its middle is a guess. */
  #correct({ earliest, latest }: Bounds): void {
    this.#lead = Math.min(latest, Math.max(earliest, this.#lead));
  }
}

/** Between these the store's lead over the monotonic clock lay for certain. */
interface Bounds {
  readonly earliest: number;
  readonly latest: number;
}

async function measured({ machine, ask }: StoreClockOptions): Promise<Bounds> {
  const askedTick = machine.tick();
  const time = await ask();
  // Whole milliseconds: the true one is up to one later.
  return { earliest: time - machine.tick(), latest: time + 1 - askedTick };
}

function middle({ earliest, latest }: Bounds): number {
  return (earliest + latest) / 2;
}

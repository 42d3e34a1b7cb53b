import type { Clock, Timer } from '../../core/ports.ts';

export interface BreakerOptions {
  readonly clock: Clock;
  /** A cheap call that shows whether the other side is well again. Resolves to whether it answered in time. */
  readonly probe: () => Promise<boolean>;
  readonly onOpen: () => void;
  readonly onClose: () => void;
}

/** So many failures among the last calls open it. */
const failuresMax = 8;
const callsRemembered = 20;
const probeEveryMs = 250;
/** So many good probes in a row close it. */
const goodProbesNeeded = 2;

/**
 * Keeps callers away from something that is slow or gone: opens after eight failures among the last twenty calls, then
 * only probes of its own go out until two in a row are answered. No caller ever waits for a probe.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #outcomes = new Uint8Array(callsRemembered);
  #next = 0;
  #failures = 0;
  #isOpen = false;
  #goodProbes = 0;
  #isProbing = false;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  succeeded(): void {
    if (this.#failures > 0) this.#note(0);
  }

  failed(): void {
    this.#note(1);
    if (this.#failures >= failuresMax) this.open();
  }

  /** At once, when it is known that calls must fail. */
  open(): void {
    if (this.#isOpen || this.#isStopped) return;
    this.#isOpen = true;
    this.#goodProbes = 0;
    this.#options.onOpen();
    this.#schedule();
  }

  /** Looks now instead of at the next turn, when there is reason to believe that all is well. */
  probeNow(): void {
    if (!this.#isOpen) return;
    this.#timer?.cancel();
    this.#timer = null;
    void this.#probe();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #note(failure: 0 | 1): void {
    this.#failures += failure - this.#outcomes[this.#next]!;
    this.#outcomes[this.#next] = failure;
    this.#next = (this.#next + 1) % callsRemembered;
  }

  #schedule(): void {
    if (this.#isStopped || this.#timer !== null) return;
    this.#timer = this.#options.clock.setTimer(probeEveryMs, () => {
      this.#timer = null;
      void this.#probe();
    });
  }

  async #probe(): Promise<void> {
    if (this.#isProbing || this.#isStopped) return;
    this.#isProbing = true;
    const isWell = await this.#options.probe();
    this.#isProbing = false;
    if (!this.#isOpen || this.#isStopped) return;
    this.#goodProbes = isWell ? this.#goodProbes + 1 : 0;
    if (this.#goodProbes < goodProbesNeeded) {
      if (isWell) void this.#probe();
      else this.#schedule();
      return;
    }
    this.#isOpen = false;
    this.#outcomes.fill(0);
    this.#failures = 0;
    this.#options.onClose();
  }
}

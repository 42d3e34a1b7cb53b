import type { Clock } from '../core/ports.ts';

/** Whoever has not asked for so long does not decide by the answer where requests go. */
const forgottenMs = 60_000;
/** Asked once or so far: how long until the next time is not known. */
const gapMsDefault = 1_000;
const gapMsMin = 100;
const noticeMsMax = 15_000;

/**
 * Whether new requests should come here, as balancers are told, and how long they need to notice: they go by how often
 * they have asked.
 */
export class Readiness {
  readonly #clock: Clock;
  #isDraining = false;
  #askedTick = Number.NEGATIVE_INFINITY;
  #gapMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A balancer asks; false once the gateway is stopping. */
  ask(): boolean {
    const tick = this.#clock.tick();
    const gapMs = tick - this.#askedTick;
    if (gapMs < forgottenMs) this.#gapMs = Math.max(gapMs, this.#gapMs / 2);
    this.#askedTick = tick;
    return !this.#isDraining;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** From now on the answer is no. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Milliseconds until everybody who asks will have heard twice that the answer changed; 0 when nobody asks. */
  noticeMs(): number {
    if (this.#clock.tick() - this.#askedTick > forgottenMs) return 0;
    const gapMs = this.#gapMs === 0 ? gapMsDefault : Math.max(gapMsMin, this.#gapMs);
    return Math.min(noticeMsMax, gapMs * 2.5);
  }
}

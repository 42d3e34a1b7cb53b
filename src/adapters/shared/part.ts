import { isParallel, limitName, type RateLimitClaim, type RateLimitRule } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import type { Part } from '../redis/members.ts';

interface Given {
  kept: number;
  untilTick: number;
  /** By Redis. */
  isHeard: boolean;
}

/**
 * After others have used what was given up, it must leave every window before it is used here again: Redis sets it aside anew
 * `givenMs` after it heard, and a window later it is empty.
 */
export const givenMs = 60_000;
const emptyMs = 65_000;
/** Open requests leave when they end. */
const parallelEmptyMs = 600_000;
/** More than so many are no longer told apart: nothing is used without asking for a while. */
const givenMax = 50_000;

/**
 * What this replica may use of each limit without asking Redis: the part that Redis has set aside for it, less what it has given
 * up of that for others. Where Redis never gave it one, an equal part by the number of replicas that the store knows.
 */
export class OwnPart {
  readonly #clock: Pick<Clock, 'tick'>;
  readonly #replicas: () => number;
  readonly #given = new Map<string, Given>();
  readonly #narrowed = new WeakMap<RateLimitRule, RateLimitRule>();
  /** Ever since it started. */
  #hasHeld = false;
  /** As Redis has set it aside. */
  #part: Part | null = null;
  /** What was held of it throughout the last minute: others may have used the rest before. */
  #settled: Part | null = null;
  #grownTick: number | null = null;
  /** While it has grown: of these limits Redis said how much is set aside by now. */
  readonly #covered = new Map<string, number>();
  #nothingUntilTick = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'tick'>, replicas: () => number) {
    this.#clock = clock;
    this.#replicas = replicas;
  }

  get held(): Part | null {
    return this.#part;
  }

  /** `isAlone`: nobody else can have used anything. */
  hold(part: Part | null, isAlone: boolean): void {
    const tick = this.#clock.tick();
    this.#settle(tick);
    const hasGrown = !isSame(part, meet(this.#part, part)) || (part === null && this.#grownTick === null);
    this.#settled = isAlone ? part : meet(this.#settled, part);
    if (hasGrown) this.#grownTick = tick;
    this.#part = part;
    if (part !== null) this.#hasHeld = true;
  }

  /** Redis said that so much of a limit is set aside for this replica, what it has used included. */
  covers(limit: string, amount: number): void {
    if (this.#grownTick !== null && this.#covered.size < givenMax) this.#covered.set(limit, amount);
  }

  get isGrowing(): boolean {
    return this.#grownTick !== null;
  }

  /** The same claim against what may be used here. */
  narrow(claim: RateLimitClaim): RateLimitClaim {
    const { rule, amount } = claim;
    const limit = this.#limitOf(rule);
    if (limit >= rule.limit) return claim;
    let narrowed = this.#narrowed.get(rule);
    if (narrowed === undefined || narrowed.limit !== limit) {
      narrowed = { ...rule, limit };
      this.#narrowed.set(rule, narrowed);
    }
    // An estimate alone must not exceed the part, or the request would never fit.
    const most = rule.metric === 'tokens' ? Math.max(1, limit) : amount;
    return { rule: narrowed, amount: Math.min(amount, most) };
  }

  /**
   * Others ask for what is not used here: half of it, or what they lack. Answers how much is kept, from this moment on. What Redis has
   * not heard of is said again, and no more is given.
   */
  giveUp(limit: string, height: number, used: number, lacking: number): number {
    const given = this.#given.get(limit);
    const tick = this.#clock.tick();
    const own = within(height, this.#part, Math.max(1, this.#replicas()));
    const isGiven = given !== undefined && given.untilTick > tick;
    const before = isGiven ? Math.min(own, given.kept) : own;
    const unused = isGiven && !given.isHeard ? 0 : Math.max(0, before - used);
    const kept = before - Math.min(unused, Math.max(lacking, Math.ceil(unused / 2)));
    if (given === undefined && this.#given.size >= givenMax) this.#forgetOld(tick);
    this.#given.set(limit, { kept, untilTick: this.#fromNow(limit), isHeard: false });
    return kept;
  }

  /** Redis has heard of it only now. */
  gaveUp(limit: string): void {
    const given = this.#given.get(limit);
    if (given === undefined) return;
    given.untilTick = this.#fromNow(limit);
    given.isHeard = true;
  }

  #fromNow(limit: string): number {
    return this.#clock.tick() + givenMs + (isParallel(limit) ? parallelEmptyMs : emptyMs);
  }

  #limitOf(rule: RateLimitRule): number {
    if (rule.limit <= 0) return rule.limit;
    const tick = this.#clock.tick();
    if (tick < this.#nothingUntilTick) return 0;
    const own = this.#ownOf(rule, tick);
    const given = this.#given.get(limitName(rule));
    return given !== undefined && given.untilTick > tick ? Math.min(own, given.kept) : own;
  }

  #ownOf(rule: RateLimitRule, tick: number): number {
    const replicas = Math.max(1, this.#replicas());
    this.#settle(tick);
    // Redis was never there, or for long, or has not given anything since this replica started: all would be refused for a minute.
    if (this.#part === null && (this.#grownTick === null || !this.#hasHeld))
      return Math.max(1, Math.floor(rule.limit / replicas));
    const part = within(rule.limit, this.#part, replicas);
    if (this.#grownTick === null) return part;
    const covered = this.#covered.get(limitName(rule));
    if (covered !== undefined) return Math.max(within(rule.limit, this.#settled, replicas), Math.min(covered, part));
    // Who has just started knows nothing of a limit that it never asked for: to refuse all of them for a minute would be worse.
    return this.#settled === null ? part : within(rule.limit, this.#settled, replicas);
  }

  #settle(tick: number): void {
    if (this.#grownTick === null || tick - this.#grownTick < emptyMs) return;
    this.#grownTick = null;
    this.#settled = this.#part;
    this.#covered.clear();
  }

  #forgetOld(tick: number): void {
    for (const [limit, { untilTick }] of this.#given) if (untilTick <= tick) this.#given.delete(limit);
    if (this.#given.size < givenMax) return;
    this.#given.clear();
    this.#nothingUntilTick = tick + givenMs + emptyMs;
  }
}

/** Others may have come since Redis was there: never more than an equal part. */
function within(limit: number, part: Part | null, replicas: number): number {
  if (part === null) return 0;
  const to = Math.min(part.to, part.from + 1 / replicas);
  return Math.floor(limit * to + 1e-6) - Math.floor(limit * part.from + 1e-6);
}

function meet(one: Part | null, other: Part | null): Part | null {
  if (one === null || other === null) return null;
  const from = Math.max(one.from, other.from);
  const to = Math.min(one.to, other.to);
  return from < to ? { from, to } : null;
}

function isSame(one: Part | null, other: Part | null): boolean {
  return one?.from === other?.from && one?.to === other?.to;
}

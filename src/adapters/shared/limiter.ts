import { GatewayError } from '../../core/errors.ts';
import { limitName, type RateLimitClaim, type RateLimitDenial, type RateLimitRule } from '../../core/limits.ts';
import type { Clock, Limiter, RateLimitReservation } from '../../core/ports.ts';
import type { MemoryLimiter } from '../memory/limiter.ts';
import type { Recall } from '../redis/change-channel.ts';
import { Contested, type RedisLimiter, RedisReservation, unknownHere } from '../redis/limiter.ts';
import { unavailable } from '../redis/link.ts';
import { givenMs, type OwnPart } from './part.ts';
import type { Presence } from './presence.ts';
import type { Recalls } from './recalls.ts';

export interface SharedLimiterOptions {
  /** null where there is no Redis. */
  readonly remote: Pick<
    RedisLimiter,
    | 'reserve'
    | 'adopt'
    | 'settle'
    | 'release'
    | 'add'
    | 'renew'
    | 'tellOpen'
    | 'hasUntold'
    | 'freeLeftOver'
    | 'giveBack'
    | 'isUp'
  > | null;
  readonly local: MemoryLimiter;
  /** What may be used here without asking. */
  readonly own: OwnPart;
  readonly presence: Pick<Presence, 'beatInRedis' | 'told'>;
  readonly recalls: Recalls;
  readonly clock: Pick<Clock, 'now' | 'tick'>;
  /** While Redis does not answer: a part each, no limit, or nobody who has one. */
  readonly withoutRemote: () => 'share' | 'open' | 'closed';
}

/** Requests or tokens admitted here without Redis, which it must still be told of. */
interface Untold {
  readonly rule: RateLimitRule;
  readonly tick: number;
  amount: number;
}

const windowMs = 60_000;
/** What is admitted so much later than it was asked is counted as of now. */
const lateMs = 200;
/** More than so many are looked through for those that no longer matter. */
const untoldMax = 50_000;

class SharedReservation implements RateLimitReservation {
  readonly claims: readonly RateLimitClaim[];
  readonly remaining: readonly number[];
  readonly resetAt: readonly number[];
  readonly local: RateLimitReservation;
  readonly remote: RedisReservation | null;
  readonly untold: readonly Untold[];

  constructor(
    shown: RateLimitReservation,
    local: RateLimitReservation,
    remote: RedisReservation | null,
    untold: readonly Untold[],
  ) {
    this.claims = shown.claims;
    this.remaining = shown.remaining;
    this.resetAt = shown.resetAt;
    this.local = local;
    this.remote = remote;
    this.untold = untold;
  }
}

/**
 * One limit over all replicas while Redis is there; without it each replica keeps to the part that Redis has set aside for it,
 * counting on from what it has admitted so far. What it admitted alone is told to Redis before Redis decides again.
 */
export class SharedLimiter implements Limiter {
  readonly #options: SharedLimiterOptions;
  #remoteDecides = false;
  #untold: Untold[] = [];
  /** Limits of which something is being given up. */
  readonly #giving = new Set<string>();
  #catchingUp: Promise<void> | null = null;

  constructor(options: SharedLimiterOptions) {
    this.#options = options;
  }

  get remoteDecides(): boolean {
    return this.#remoteDecides;
  }

  /** Redis is gone: shares from now on. */
  remoteIsDown(): void {
    this.#remoteDecides = false;
  }

  /** Redis is there: it decides again once it knows what was admitted without it. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#tellAll().finally(() => {
      this.#catchingUp = null;
    });
    return this.#catchingUp;
  }

  reserve(
    _requestId: string,
    claims: readonly RateLimitClaim[],
  ): RateLimitReservation | RateLimitDenial | Promise<RateLimitReservation | RateLimitDenial> {
    if (this.#remoteDecides) return this.#askRemote(claims);
    const decided = this.#reserveShare(claims);
    const isFinal = !('rule' in decided) || this.#catchingUp === null || this.#options.remote?.isUp !== true;
    return isFinal ? decided : this.#askWhenCaughtUp(claims, decided);
  }

  /** Refused by the part of this replica alone, while Redis is there and is just being told what it missed: it knows better in a moment. */
  async #askWhenCaughtUp(
    claims: readonly RateLimitClaim[],
    denial: RateLimitDenial,
  ): Promise<RateLimitReservation | RateLimitDenial> {
    await this.catchUp();
    return this.#remoteDecides ? this.#askRemote(claims) : denial;
  }

  settle(
    requestId: string,
    reservation: RateLimitReservation,
    usage: { inputTokens: number; outputTokens: number },
  ): void {
    if (!(reservation instanceof SharedReservation)) return;
    const { local, remote, untold } = reservation;
    this.#options.local.settle(requestId, local, usage);
    if (remote !== null) this.#options.remote?.settle(remote, usage);
    for (const entry of untold) {
      const { metric, tokens } = entry.rule;
      if (metric !== 'tokens') continue;
      entry.amount =
        tokens === 'input'
          ? usage.inputTokens
          : tokens === 'output'
            ? usage.outputTokens
            : usage.inputTokens + usage.outputTokens;
    }
  }

  release(requestId: string, reservation: RateLimitReservation): void {
    if (!(reservation instanceof SharedReservation)) return;
    const { local, remote, untold } = reservation;
    this.#options.local.release(requestId, local);
    if (remote !== null) this.#options.remote?.release(remote);
    for (const entry of untold) entry.amount = 0;
  }

  /** Another replica has no room but what is set aside here. */
  async recalled(recall: Recall): Promise<void> {
    const { limit } = recall;
    // They were asked before they could hear of what is being given: many at once, when this process stood still.
    if (this.#giving.has(limit)) return;
    this.#giving.add(limit);
    try {
      await this.#give(recall);
    } finally {
      this.#giving.delete(limit);
    }
  }

  async #give({ limit, height, lacking }: Recall): Promise<void> {
    const { remote, local, own } = this.#options;
    // Redis must hear of it first: without it, what is set aside stays.
    if (remote === null || own.held === null) return;
    if (!this.#remoteDecides) await this.catchUp();
    if (!this.#remoteDecides) return;
    const kept = own.giveUp(limit, height, local.used(limit), lacking);
    if (await remote.giveBack(limit, kept, givenMs)) own.gaveUp(limit);
  }

  async #askRemote(claims: readonly RateLimitClaim[]): Promise<RateLimitReservation | RateLimitDenial> {
    const { remote, local, own, recalls, clock } = this.#options;
    let hasCaughtUp = false;
    for (let round = 0; ; round++) {
      const askedTick = clock.tick();
      // Counted here while it is under way: should Redis go away, it may have been admitted.
      const counted = local.count(claims);
      const answer = await remote!.reserve(claims);
      if (answer instanceof RedisReservation) {
        if (answer.tight !== null) recalls.ask(answer.tight);
        if (own.isGrowing) this.#noteRoom(answer);
        if (clock.tick() - askedTick < lateMs) return new SharedReservation(answer, counted, answer, nothing);
        local.release('', counted);
        return new SharedReservation(answer, local.count(claims), answer, nothing);
      }
      local.release('', counted);
      if (answer === unavailable || answer === unknownHere) {
        const decided = this.#reserveShare(claims);
        // What is decided here now must be told before Redis is asked again.
        this.#remoteDecides = false;
        const caughtUp = this.catchUp();
        if (!('rule' in decided) || hasCaughtUp) return decided;
        hasCaughtUp = true;
        await caughtUp;
        if (!this.#remoteDecides) return decided;
        continue;
      }
      if (!(answer instanceof Contested)) return answer;
      // One after the other would take a round each. What has room is left alone: each time that it is asked for, others give half.
      for (const [index, { rule }] of claims.entries()) {
        if (answer.lacking[index]! > 0) recalls.ask(rule, answer.lacking[index]);
      }
      if (!(await recalls.wait(answer.denial.rule, round))) return answer.denial;
    }
  }

  #noteRoom({ claims, room }: RedisReservation): void {
    const { local, own } = this.#options;
    for (const [index, { rule }] of claims.entries()) {
      const limit = limitName(rule);
      own.covers(limit, local.used(limit) + room[index]!);
    }
  }

  #reserveShare(claims: readonly RateLimitClaim[]): RateLimitReservation | RateLimitDenial {
    const { local, remote, own, withoutRemote } = this.#options;
    const policy = remote === null ? 'share' : withoutRemote();
    if (policy === 'closed') throw noLimits();
    const answer =
      policy === 'open'
        ? local.count(claims)
        : local.reserve(
            '',
            claims.map((claim) => own.narrow(claim)),
          );
    if ('rule' in answer) return answer;
    if (remote === null) return new SharedReservation(answer, answer, null, nothing);
    const parallel = claims.filter(({ rule }) => rule.metric === 'parallel');
    return new SharedReservation(
      answer,
      answer,
      parallel.length === 0 ? null : remote.adopt(parallel),
      this.#keepUntold(claims),
    );
  }

  #keepUntold(claims: readonly RateLimitClaim[]): readonly Untold[] {
    const tick = this.#options.clock.tick();
    const entries = claims
      .filter(({ rule }) => rule.metric !== 'parallel')
      .map(({ rule, amount }): Untold => ({ rule, tick, amount }));
    if (this.#untold.length >= untoldMax) this.#untold = this.#untold.filter((one) => tick - one.tick < windowMs);
    // With more than that in one minute the newest are dropped: the limits are then counted from the rest.
    if (this.#untold.length < untoldMax) this.#untold.push(...entries);
    return entries;
  }

  async #tellAll(): Promise<void> {
    const { remote, clock } = this.#options;
    if (remote === null) return;
    await remote.freeLeftOver();
    if (!(this.#remoteDecides || (await this.#joins(remote)))) return;
    while (this.#untold.length > 0 || remote.hasUntold) {
      // Open requests that Redis does not know of would be admitted once more.
      if (!(await remote.tellOpen())) return;
      const entries = this.#untold;
      this.#untold = [];
      const tick = clock.tick();
      const fresh = entries.filter((one) => one.amount > 0 && tick - one.tick < windowMs);
      if (await remote.add(fresh.map(({ rule, amount, tick: at }) => ({ rule, amount, ageMs: tick - at })))) continue;
      this.#untold = [...fresh, ...this.#untold];
      return;
    }
    this.#remoteDecides = remote.isUp;
  }

  /** Whether Redis may be asked. A server that was started anew must hear from everybody first what they had admitted, also with its consent. */
  async #joins(remote: NonNullable<SharedLimiterOptions['remote']>): Promise<boolean> {
    const { presence, local } = this.#options;
    const known = await presence.beatInRedis();
    if (known === unavailable || known.state !== 'tell') return known !== unavailable && known.state === 'ready';
    const untold = this.#untold;
    this.#untold = [];
    if (!((await remote.add([...local.counted()])) && (await remote.renew()))) {
      this.#untold = [...untold, ...this.#untold];
      return false;
    }
    presence.told(known.run);
    const joined = await presence.beatInRedis();
    return joined !== unavailable && joined.state === 'ready';
  }
}

const nothing: readonly Untold[] = [];

function noLimits(): GatewayError {
  return new GatewayError(
    'overloaded',
    'The rate limits of this key cannot be checked, because Redis does not answer. Try again shortly.',
    { retryAfterSeconds: 1 },
  );
}

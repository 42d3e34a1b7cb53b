import { GatewayError } from '../../core/errors.ts';
import type { RateLimitClaim, RateLimitDenial, RateLimitRule } from '../../core/limits.ts';
import type { Clock, Limiter, RateLimitReservation } from '../../core/ports.ts';
import type { MemoryLimiter } from '../memory/limiter.ts';
import type { RedisLimiter, RedisReservation } from '../redis/limiter.ts';
import { unavailable } from '../redis/link.ts';
import { KnownUse } from './known-use.ts';
import { shareOf } from './share.ts';

export interface SharedLimiterOptions {
  /** null where there is no Redis. */
  readonly remote: Pick<RedisLimiter, 'reserve' | 'adopt' | 'settle' | 'release' | 'add' | 'run' | 'isUp'> | null;
  readonly local: MemoryLimiter;
  /** Processes that share the limits now, this one included. */
  readonly replicas: () => number;
  readonly clock: Pick<Clock, 'now' | 'tick'>;
  /** While Redis does not answer: a share each, no limit, or nobody who has one. */
  readonly withoutRemote: () => 'share' | 'open' | 'closed';
}

/** Requests or tokens admitted here without Redis, which it must still be told of. */
interface Untold {
  readonly rule: RateLimitRule;
  readonly tick: number;
  amount: number;
}

const windowMs = 60_000;
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
 * One limit over all replicas while Redis is there; without it each replica keeps to its share, counting on from what
 * it has admitted so far. What it admitted alone is told to Redis before Redis decides again.
 */
export class SharedLimiter implements Limiter {
  readonly #options: SharedLimiterOptions;
  #remoteDecides = false;
  readonly #known = new KnownUse();
  /** The run of the Redis server that was told last. */
  #run: string | null = null;
  /** Until then a Redis that was started anew may not have heard of everything that others had admitted before. */
  #forgetfulUntilTick = Number.NEGATIVE_INFINITY;
  #untold: Untold[] = [];
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
    return this.#remoteDecides ? this.#askRemote(claims) : this.#reserveShare(claims);
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

  async #askRemote(claims: readonly RateLimitClaim[]): Promise<RateLimitReservation | RateLimitDenial> {
    const isForgetful = this.#options.clock.tick() < this.#forgetfulUntilTick;
    const denied = isForgetful ? this.#beyondKnown(claims) : null;
    if (denied !== null) return denied;
    const answer = await this.#options.remote!.reserve(claims);
    if (answer === unavailable) return this.#reserveShare(claims);
    if ('rule' in answer) {
      this.#saw(answer.rule, answer.used, isForgetful);
      return answer;
    }
    for (const [index, { rule, amount }] of claims.entries()) {
      if (isForgetful) this.#known.took(rule, amount);
      this.#saw(rule, rule.limit - answer.remaining[index]!, isForgetful);
    }
    return new SharedReservation(answer, this.#options.local.count(claims), answer, nothing);
  }

  #saw(rule: RateLimitRule, used: number, isForgetful: boolean): void {
    const tick = this.#options.clock.tick();
    if (isForgetful && this.#known.has(rule, tick)) return;
    this.#known.saw(rule, used, tick);
  }

  #reserveShare(claims: readonly RateLimitClaim[]): RateLimitReservation | RateLimitDenial {
    const { local, remote, withoutRemote } = this.#options;
    const policy = remote === null ? 'share' : withoutRemote();
    if (policy === 'closed') throw noLimits();
    const isShared = policy !== 'open' && remote !== null;
    const denied = isShared ? this.#beyondKnown(claims) : null;
    if (denied !== null) return denied;
    const answer = policy === 'open' ? local.count(claims) : local.reserve('', this.#shares(claims));
    if ('rule' in answer) return answer;
    if (isShared) for (const { rule, amount } of claims) this.#known.took(rule, amount);
    if (remote === null) return new SharedReservation(answer, answer, null, nothing);
    const parallel = claims.filter(({ rule }) => rule.metric === 'parallel');
    return new SharedReservation(
      answer,
      answer,
      parallel.length === 0 ? null : remote.adopt(parallel),
      this.#keepUntold(claims),
    );
  }

  /** Others may be using what Redis last said was left: a part of that is all that can be had without asking. */
  #beyondKnown(claims: readonly RateLimitClaim[]): RateLimitDenial | null {
    const { clock, replicas } = this.#options;
    const tick = clock.tick();
    for (const { rule, amount } of claims) {
      const beyond = this.#known.beyond(rule, amount, replicas(), tick);
      if (beyond !== null) return { rule, used: beyond.used, resetAt: clock.now() + beyond.waitMs };
    }
    return null;
  }

  #shares(claims: readonly RateLimitClaim[]): readonly RateLimitClaim[] {
    const count = this.#options.replicas();
    return count <= 1 ? claims : claims.map((claim) => shareOf(claim, count));
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
    if (!this.#remoteDecides && !(await this.#tellAnew(remote))) return;
    while (this.#untold.length > 0) {
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

  /** A server that was started anew has forgotten what this replica had admitted with its consent, too. False when it is away again. */
  async #tellAnew(remote: NonNullable<SharedLimiterOptions['remote']>): Promise<boolean> {
    const run = await remote.run();
    const isAnother = run !== null && this.#run !== null && run !== this.#run;
    if (isAnother) {
      const untold = this.#untold;
      this.#untold = [];
      if (!(await remote.add([...this.#options.local.counted()]))) {
        this.#untold = [...untold, ...this.#untold];
        return false;
      }
      this.#forgetfulUntilTick = this.#options.clock.tick() + windowMs;
    }
    if (run !== null) this.#run = run;
    return true;
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

import type { Chance, Clock, Limiter, Log, ResponseCache } from '../core/ports.ts';
import type { RedisSettings } from '../core/redis-settings.ts';
import type { Store } from '../core/store.ts';
import { createMemoryLimiter } from './memory/limiter.ts';
import { memoryResponseCache } from './memory/response-cache.ts';
import { ChangeChannel, type ChangeListener } from './redis/change-channel.ts';
import { CheckNotes } from './redis/check-notes.ts';
import { RedisLimiter } from './redis/limiter.ts';
import { RedisLink, unavailable } from './redis/link.ts';
import { leave, replicaName } from './redis/members.ts';
import { RedisResponseCache } from './redis/response-cache.ts';
import { repeat } from './repeat.ts';
import { Invalidation } from './shared/invalidation.ts';
import { SharedLimiter } from './shared/limiter.ts';
import { OwnPart } from './shared/part.ts';
import { Presence } from './shared/presence.ts';
import { Recalls } from './shared/recalls.ts';

export interface SharedOptions {
  /** Of this process; another one when it is left out. */
  readonly id?: string;
  /** Processes known to be dead: what was set aside for them is free at once. */
  readonly ended?: readonly string[];
  /** null = no Redis. */
  readonly redis: RedisSettings | null;
  readonly store: Pick<Store, 'changes' | 'replicas'>;
  /**
   * Whether the store is embedded. Other processes over it are told of changes, but their number is known only from Redis,
   * so that without Redis each of them has all of a limit.
   */
  readonly alone: boolean;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Where the operator wants cached answers kept; null or absent = in Redis, or in memory. */
  readonly answers?: ResponseCache | null;
  /** Memory for cached answers where they are not kept in Redis. */
  readonly cacheBytesMax: number;
  /** What a call of Redis may take; 80 ms when left out. */
  readonly redisBudgetMs?: number;
  /** Told of every call of Redis. */
  readonly onRedisCall?: (milliseconds: number, isAnswered: boolean) => void;
  /** What becomes of rate limits while Redis does not answer; `share` when left out. */
  readonly limitsWithoutRedis?: () => 'share' | 'open' | 'closed';
}

/** What replicas have in common. */
export interface Shared {
  readonly limiter: Limiter;
  readonly cache: ResponseCache;
  readonly invalidation: Invalidation;
  /** null where no Redis is configured. */
  readonly checkNotes: CheckNotes | null;
  /** Replicas that are alive, this one included, as far as is known. */
  replicas(): number;
  /** How much of every limit this replica may use without Redis: 1 is all of it, 0 nothing. */
  part(): number;
  /** Whether limits and cached answers are shared now; null where no Redis is configured. */
  redisIsUp(): boolean | null;
  close(): Promise<void>;
}

/** How long the start waits for Redis; without it the gateway starts as well. */
const startPatienceMs = 1_500;
const beatMs = 1_000;
/** While Redis does not decide, it is asked more often whether it may. */
const joinMs = 200;
const renewMs = 10_000;
/** A change is known everywhere within a second even if no message arrives. */
const lookMs = 800;
const storeBeatMs = 5_000;

/**
 * Limits, cached answers and word of changes, shared by all replicas through Redis and the store; in memory where there is
 * one process alone.
 */
export async function openShared(options: SharedOptions): Promise<Shared> {
  const { redis, store, alone, clock, chance, log, cacheBytesMax } = options;
  const stops: (() => void)[] = [];
  const link = redis === null ? null : new RedisLink(redis, clock, log, options.redisBudgetMs, options.onRedisCall);
  const local = createMemoryLimiter(clock);
  const { id = chance.id(), ended = [] } = options;
  const remote = link === null ? null : new RedisLimiter({ link, clock, chance, member: replicaName(id) });
  const replicaStore = alone ? null : store.replicas;
  const own = new OwnPart(clock, () => presence.count);
  const presence = new Presence({ id, link, replicas: replicaStore, clock, own });
  let channel: ChangeChannel | null = null;
  const shared = new SharedLimiter({
    remote,
    local,
    own,
    presence,
    recalls: new Recalls(clock, (recall) => channel?.recall(recall)),
    clock,
    withoutRemote: options.limitsWithoutRedis ?? (() => 'share'),
  });

  const invalidation = new Invalidation({
    changes: store.changes,
    publish: (changes) => channel?.publish(changes),
    log,
  });

  if (link !== null && remote !== null && redis !== null) {
    const listener: ChangeListener = {
      onChanges: invalidation.received.bind(invalidation),
      onGap: () => void invalidation.look(),
      onRecall: (recall) => void shared.recalled(recall),
    };
    const subscription = new ChangeChannel(redis, link, replicaName(id), listener, clock, log);
    channel = subscription;
    const returned = async () => {
      // Each time: a Redis that forgot hears of them again from those that have not.
      for (const one of ended) await leave(link, replicaName(one));
      await remote.prepare();
      await remote.renew();
      await shared.catchUp();
    };
    link.onDown(() => shared.remoteIsDown());
    link.onUp(() => void returned());
    stops.push(
      repeat(clock, beatMs, async () => {
        const known = await presence.beatInRedis();
        if (known !== unavailable && known.state !== 'ready') shared.remoteIsDown();
        if (link.isUp) await shared.catchUp();
      }),
      repeat(clock, joinMs, async () => {
        if (link.isUp && !shared.remoteDecides) await shared.catchUp();
      }),
      repeat(clock, renewMs, async () => void (await remote.renew())),
      () => subscription.close(),
      () => link.close(),
    );
    await link.whenUp(startPatienceMs);
    if (link.isUp) {
      await returned();
      await Promise.race([
        subscription.heard,
        new Promise<void>((resolve) => clock.setTimer(startPatienceMs, resolve)),
      ]);
    } else log.warn('Redis does not answer: starting without it, limits and cached answers are those of this replica');
  }
  await invalidation.look();
  stops.push(repeat(clock, lookMs, () => invalidation.look()));
  if (!alone) {
    await presence.beatInStore().catch(() => {});
    stops.push(repeat(clock, storeBeatMs, () => presence.beatInStore()));
  }
  return {
    limiter: link === null && alone ? local : shared,
    cache:
      options.answers ??
      (link !== null && redis?.keepsAnswers === true
        ? new RedisResponseCache(link)
        : memoryResponseCache(cacheBytesMax, clock)),
    invalidation,
    checkNotes: link === null ? null : new CheckNotes(link),
    replicas: () => presence.count,
    part: () => (own.held === null ? 0 : own.held.to - own.held.from),
    redisIsUp: () => (link === null ? null : link.isUp),
    async close() {
      await presence.leave();
      for (const stop of stops) stop();
    },
  };
}

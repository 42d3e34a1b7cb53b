import type { Clock } from '../../core/ports.ts';
import type { ReplicaRepository } from '../../core/store.ts';
import { beatScript } from '../redis/limiter-scripts.ts';
import { type RedisLink, unavailable } from '../redis/link.ts';

export interface PresenceOptions {
  readonly id: string;
  readonly link: RedisLink | null;
  readonly replicas: ReplicaRepository | null;
  readonly clock: Pick<Clock, 'tick'>;
}

const redisLifeMs = 5_000;
/** A replica whose figure in the store stands still for so long is dead. */
const storeLifeMs = 15_000;
const forgottenMs = 600_000;

/** How many replicas there are: from signs of life in Redis, or in the store while Redis is away. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #seen = new Map<string, { beats: number; changedTick: number }>();
  #inRedis = 0;
  #redisTick = Number.NEGATIVE_INFINITY;
  #inStore = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** At least 1: this one. */
  get count(): number {
    const { link, clock } = this.#options;
    if (link?.isUp === true && this.#inRedis > 0) return this.#inRedis;
    // What Redis said last is newer than what the store says, for a while.
    const isRecent = clock.tick() - this.#redisTick < storeLifeMs;
    return Math.max(1, this.#inStore, isRecent || this.#inStore === 0 ? this.#inRedis : 0);
  }

  /** All that are alive, whether Redis sees them or not. */
  get everywhere(): number {
    return Math.max(1, this.#inStore, this.#inRedis);
  }

  async beatInRedis(): Promise<void> {
    const { link, id, clock } = this.#options;
    if (link === null) return;
    const key = `${link.prefix}:{limits}:replicas`;
    const live = await link.call((client) => beatScript.run(client, [key], [1, '', id, redisLifeMs]));
    if (live === unavailable) return;
    this.#inRedis = Number(live);
    this.#redisTick = clock.tick();
  }

  /** Rejects when the store is away; what was known stays. */
  async beatInStore(): Promise<void> {
    const { replicas, id, clock } = this.#options;
    if (replicas === null) return;
    const beats = await replicas.beat(id);
    const tick = clock.tick();
    const dead: string[] = [];
    let live = 0;
    for (const one of beats) {
      const known = this.#seen.get(one.id);
      if (known === undefined || known.beats !== one.beats) {
        this.#seen.set(one.id, { beats: one.beats, changedTick: tick });
        live += 1;
      } else if (tick - known.changedTick < storeLifeMs) live += 1;
      else if (tick - known.changedTick > forgottenMs) dead.push(one.id);
    }
    this.#inStore = live;
    for (const one of dead) this.#seen.delete(one);
    await replicas.remove(dead);
  }

  /** The others need not wait for the signs to stop. */
  async leave(): Promise<void> {
    const { link, replicas, id } = this.#options;
    await link?.call((client) => client.zrem(`${link.prefix}:{limits}:replicas`, id));
    await replicas?.remove([id]).catch(() => {});
  }
}

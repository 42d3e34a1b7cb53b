import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { RedisServer } from '../../scripts/servers/redis.ts';
import { openShared, type Shared, type SharedOptions } from '../../src/adapters/shared.ts';
import { openSqliteStore } from '../../src/adapters/sql/sqlite.ts';
import type { SqlStore } from '../../src/adapters/sql/store.ts';
import { systemChance, systemClock } from '../../src/adapters/system-clock.ts';
import type { RateLimitClaim } from '../../src/core/limits.ts';
import type { RateLimitReservation } from '../../src/core/ports.ts';
import type { RedisSettings } from '../../src/core/redis-settings.ts';
import { rateLimit, silentLog } from '../builders.ts';
import { startTcpFaultProxy, type TcpFaultProxy } from '../tcp-fault/index.ts';
import { startRedis } from './index.ts';
import { redisSettings } from './redis-settings.ts';

/** What a call may take where its time is not what is tested: the machine may have much else to do. */
const amongOthersMs = 400;
/** For the tests of that time. */
export const ownBudget = { redisBudgetMs: 80 } as const;

/** What replicas share, for the tests of one file: a Redis that asks for a password, the store, and a fault proxy for each test. */
export class SharedGround {
  readonly clock = systemClock();
  redis!: RedisServer;
  store!: SqlStore;
  proxy!: TcpFaultProxy;
  prefix = '';
  readonly #opened: Shared[] = [];
  #prefixes = 0;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-shared-'));
    beforeAll(async () => {
      this.redis = await startRedis({ password: 'p:w/d' });
      this.store = await openSqliteStore({ file: join(folder, 'tollgate.db') });
    });
    afterAll(async () => {
      await this.store.close();
      await this.redis.close();
      rmSync(folder, { recursive: true, force: true });
    });
    afterEach(async () => {
      for (const one of this.#opened.splice(0)) await one.close();
      await this.proxy?.close();
    });
  }

  /** Keys of its own, and a way to Redis that can be cut. */
  async begin(prefix = `run-${++this.#prefixes}`): Promise<void> {
    this.prefix = prefix;
    this.proxy = await startTcpFaultProxy({ port: this.redis.port });
  }

  /** Replicas whose way to Redis leads through one fault proxy. */
  async replicas(count: number, more: Partial<SharedOptions> = {}): Promise<Shared[]> {
    await this.begin();
    const result = await Promise.all(Array.from({ length: count }, () => this.open(more)));
    // Each has a part of every limit, and together they have all.
    await until(() => result.every((one) => one.replicas() === count && Math.abs(one.part() - 1 / count) < 1e-9));
    return result;
  }

  settings(more: Partial<RedisSettings> = {}): RedisSettings {
    const topology = { kind: 'single', address: { host: this.proxy.host, port: this.proxy.port } } as const;
    return redisSettings(this.redis.url, { prefix: this.prefix, topology, ...more });
  }

  async open(more: Partial<SharedOptions> = {}): Promise<Shared> {
    const one = await openShared({
      redis: this.settings(),
      store: this.store,
      alone: false,
      clock: this.clock,
      chance: systemChance,
      log: silentLog,
      cacheBytesMax: 1_000_000,
      redisBudgetMs: amongOthersMs,
      ...more,
    });
    this.#opened.push(one);
    return one;
  }
}

/** Resolves to the milliseconds that it took. */
export async function until(isSo: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<number> {
  const startedTick = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedTick > limitMs) throw new Error(`not so after ${limitMs} ms: ${isSo}`);
    await sleep(10);
  }
  return performance.now() - startedTick;
}

export async function admits(one: Shared, ...claims: RateLimitClaim[]): Promise<RateLimitReservation | null> {
  const answer = await one.limiter.reserve('request', claims);
  return 'rule' in answer ? null : answer;
}

export const claim = (limit: number, more = {}): RateLimitClaim => ({ rule: rateLimit({ limit, ...more }), amount: 1 });

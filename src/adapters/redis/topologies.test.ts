import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/servers/child.ts';
import { rateLimit, silentLog } from '../../../test/builders.ts';
import { startRedis } from '../../../test/servers/index.ts';
import { redisSettings } from '../../../test/servers/redis-settings.ts';
import { startRedisCluster, startRedisSentinel } from '../../../test/servers/redis-topologies.ts';
import type { CachedAnswer } from '../../core/ports.ts';
import type { RedisSettings } from '../../core/redis-settings.ts';
import type { ChangeRepository, ReplicaRepository } from '../../core/store.ts';
import { openShared, type Shared } from '../shared.ts';
import { systemChance, systemClock } from '../system-clock.ts';
import type { Change } from './change-channel.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const changes: ChangeRepository = { append: async () => {}, newest: async () => 0, since: async () => [] };
const replicas: ReplicaRepository = { beat: async () => [], remove: async () => {} };

async function open(redis: RedisSettings): Promise<Shared> {
  const clock = systemClock();
  const store = { changes, replicas };
  const shared = await openShared({
    redis,
    store,
    alone: true,
    clock,
    chance: systemChance,
    log: silentLog,
    cacheBytesMax: 1,
    // What takes longer is decided alone, by a part of a limit that others may have used: not on a busy machine.
    redisBudgetMs: 1_000,
  });
  closers.push(() => shared.close());
  return shared;
}

async function until(isSo: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const startedTick = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedTick > limitMs) throw new Error(`not so after ${limitMs} ms: ${isSo}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

const isAdmitted = async (shared: Shared, id: string, limit: number): Promise<boolean> => {
  const claims = ['key', 'team', 'organization', 'user'].map((scope) => ({
    rule: rateLimit({ scope: scope as 'key', id: `${scope}-${id}`, limit }),
    amount: 1,
  }));
  return !('rule' in (await shared.limiter.reserve('r', claims)));
};
const answer = (text: string): CachedAnswer => ({
  body: Buffer.from(text),
  dialect: 'd',
  modelUsed: null,
  storedAt: 1,
});

/** Everything that is shared, over two replicas. */
async function works(one: Shared, other: Shared): Promise<void> {
  await until(() => one.redisIsUp() === true && other.redisIsUp() === true && one.replicas() >= 2);
  const id = systemChance.id();
  let admitted = 0;
  // After a failover it takes a moment until one hears that the other needs its part.
  for (let index = 0; index < 60 && (admitted < 4 || index < 6); index++) {
    if (await isAdmitted(index % 2 === 0 ? one : other, id, 4)) admitted += 1;
    if (index >= 6) await new Promise((done) => setTimeout(done, 100));
  }
  expect(admitted).toBe(4);

  const keys = Array.from({ length: 30 }, (_, index) => `${id}-${index}`);
  for (const key of keys) one.cache.set(key, answer(key), 60_000);
  for (const key of keys) await until(async () => (await other.cache.get(key))?.body.toString() === key);
  await other.cache.clear();
  for (const key of keys) expect(await one.cache.get(key)).toBeUndefined();

  const heard: (Change | null)[] = [];
  other.invalidation.onChange((what) => heard.push(what));
  await until(() => {
    one.invalidation.announce({ scope: 'key', id });
    return heard.length > 0;
  });
  expect(heard[0]).toEqual({ scope: 'key', id });
  expect((await one.cache.serverFacts!()).info).toHaveProperty('redis_version');
}

describe('Redis topologies', () => {
  it('cluster: claims over several scopes in one script, answers over all nodes', async () => {
    const cluster = await startRedisCluster();
    closers.push(cluster.close);
    const nodes = cluster.ports.map((port) => ({ host: '127.0.0.1', port }));
    const settings = redisSettings('redis://unused', { topology: { kind: 'cluster', nodes } });
    await works(await open(settings), await open(settings));
  });

  it('sentinel: follows the primary to another server', async () => {
    const first = await startRedis();
    closers.push(() => first.close());
    const second = await startRedis({ settings: { replicaof: `127.0.0.1 ${first.port}` } });
    closers.push(() => second.close());
    const sentinel = await startRedisSentinel(first.port);
    closers.push(sentinel.close);
    const control = new Redis({ host: '127.0.0.1', port: sentinel.port });
    closers.push(async () => control.disconnect());
    await until(async () => ((await control.call('SENTINEL', 'replicas', 'primary')) as unknown[]).length === 1);
    const topology: RedisSettings['topology'] = {
      kind: 'sentinel',
      sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
      name: 'primary',
      password: null,
    };
    const settings = redisSettings('redis://unused', { topology });
    const [one, other] = [await open(settings), await open(settings)];
    await works(one, other);
    await first.kill();
    await until(async () =>
      String(await control.call('SENTINEL', 'get-master-addr-by-name', 'primary')).includes(String(second.port)),
    );
    await works(one, other);
  });

  it('TLS: checks the certificate unless told not to', async () => {
    const folder = resolve(import.meta.dirname, '../../../test/servers/tls');
    const port = await freePort();
    const server = await startRedis({
      settings: {
        'tls-port': String(port),
        'tls-cert-file': join(folder, 'localhost.pem'),
        'tls-key-file': join(folder, 'localhost-key.pem'),
        'tls-auth-clients': 'no',
      },
    });
    closers.push(() => server.close());
    const over = (tls: RedisSettings['tls']) => redisSettings(`redis://127.0.0.1:${port}`, { tls });
    expect(readFileSync(join(folder, 'localhost.pem'), 'utf8')).toContain('BEGIN CERTIFICATE');
    const trusting = over({ verifiesCertificate: false, verifiesHostname: false });
    await works(await open(trusting), await open(trusting));
    const careful = await open(over({ verifiesCertificate: true, verifiesHostname: true }));
    expect(careful.redisIsUp()).toBe(false);
    expect(await isAdmitted(careful, 'without', 1)).toBe(true);
  });
});

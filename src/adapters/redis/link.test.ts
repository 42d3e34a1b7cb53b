import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../test/builders.ts';
import { redisAddress } from '../../../test/servers/index.ts';
import { redisSettings } from '../../../test/servers/redis-settings.ts';
import { FakeClock } from '../../../test/simulation/fake-clock.ts';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../../test/tcp-fault/index.ts';
import type { Clock } from '../../core/ports.ts';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { Secret } from '../../core/secret.ts';
import { systemClock } from '../system-clock.ts';
import { lateMs, RedisLink, unavailable } from './link.ts';

let url = '';
let proxy: TcpFaultProxy;
let link: RedisLink;
/** Calls that the link told of: whether they were answered in time. */
let told: boolean[] = [];

beforeAll(async () => {
  ({ url } = await redisAddress());
});
beforeEach(async () => {
  proxy = await startTcpFaultProxy({ port: Number(new URL(url).port) });
});
afterEach(async () => {
  link.close();
  await proxy.close();
});

async function connected(clock: Clock, budgetMs?: number): Promise<void> {
  const topology = { kind: 'single', address: { host: proxy.host, port: proxy.port } } as const;
  link = new RedisLink(redisSettings(url, { topology }), clock, silentLog, budgetMs, (_, isAnswered) => {
    told.push(isAnswered);
  });
  await link.whenUp(5_000);
  expect(link.isUp).toBe(true);
  told = [];
}

const ping = () => link.call((client) => client.ping(), undefined, lateMs);
const late = () => told.filter((isAnswered) => !isAnswered).length;

/* Time passes as the test says, however long the machine takes for it. */
describe('calls of a Redis that stopped answering', () => {
  let clock: FakeClock;
  beforeEach(async () => {
    clock = new FakeClock(0);
    await connected(clock);
  });
  const pass = async (forMs: number) => {
    for (let passedMs = 0; passedMs < forMs; passedMs += 5) {
      await clock.advance(5);
      await sleep(0);
    }
  };

  it('are at most ten before the breaker opens, and whoever waits then goes on at once', async () => {
    proxy.delay(20_000);
    const waits: Promise<number>[] = [];
    const startedTick = clock.tick();
    // 200 a second.
    while (link.isUp && clock.tick() - startedTick < 2_000) {
      const askedTick = clock.tick();
      waits.push(ping().then((answer) => (answer === unavailable ? clock.tick() - askedTick : 0)));
      await pass(5);
    }
    const openedMs = clock.tick() - startedTick;
    const waitedMs = await Promise.all(waits);
    expect(waits.length).toBeGreaterThan(10);
    expect(Math.min(...waitedMs)).toBeGreaterThan(0);
    expect(openedMs).toBeLessThan(200);
    // Those under way at that moment included; the first probe is late only after this.
    await pass(150);
    expect(late()).toBeLessThanOrEqual(10);
    expect(late()).toBeGreaterThanOrEqual(8);
  });

  it('are held back until the next answer, and made then', async () => {
    proxy.delay(50);
    const early = Array.from({ length: 8 }, ping);
    await pass(20);
    let isSent = false;
    const held = link.call((client) => {
      isSent = true;
      return client.ping();
    });
    await pass(10);
    expect(isSent).toBe(false);
    await proxy.restore();
    expect(await held).toBe('PONG');
    expect(await Promise.all(early)).toEqual(Array.from({ length: 8 }, () => 'PONG'));
    expect(link.isUp).toBe(true);
  });
});

describe('calls of a Redis that is well', () => {
  it('are all answered, however many there are at once', async () => {
    await connected(systemClock(), 1_000);
    const many = await Promise.all(Array.from({ length: 3_000 }, ping));
    expect(new Set(many)).toEqual(new Set(['PONG']));
    expect(late()).toBe(0);
  });

  it('are made again after it came back, whatever never had an answer', async () => {
    await connected(systemClock());
    await proxy.blackHole();
    while (link.isUp) {
      void ping();
      await sleep(5);
    }
    await proxy.restore();
    const startedTick = performance.now();
    while (!link.isUp && performance.now() - startedTick < 10_000) await sleep(10);
    expect(await ping()).toBe('PONG');
  });
});

describe('the log of a start', () => {
  const started = async (change: Partial<RedisSettings> = {}) => {
    const warnings: string[] = [];
    const warn = (message: string, fields = {}) => void warnings.push(message + JSON.stringify(fields));
    link = new RedisLink(redisSettings(url, change), systemClock(), { ...silentLog, warn });
    await link.whenUp(5_000);
    return warnings;
  };

  it('warns of nothing where Redis is well', async () => {
    const warnings = await started();
    expect(link.isUp).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('says why where Redis is not to be had, before anything else', async () => {
    const warnings = await started({ username: 'nobody', password: new Secret('not-the-password') });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('WRONGPASS');
  });
});

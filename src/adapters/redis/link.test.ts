import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../test/builders.ts';
import { redisAddress } from '../../../test/servers/index.ts';
import { redisSettings } from '../../../test/servers/redis-settings.ts';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../../test/tcp-fault/index.ts';
import { systemClock } from '../system-clock.ts';
import { lateMs, RedisLink, unavailable } from './link.ts';

const clock = systemClock();
let url = '';
let proxy: TcpFaultProxy;
let link: RedisLink;
/** Calls that the link told of: whether they were answered in time. */
let told: boolean[] = [];

beforeAll(async () => {
  ({ url } = await redisAddress());
});
beforeEach(async () => {
  told = [];
  proxy = await startTcpFaultProxy({ port: Number(new URL(url).port) });
  const topology = { kind: 'single', address: { host: proxy.host, port: proxy.port } } as const;
  link = new RedisLink(redisSettings(url, { topology }), clock, silentLog, undefined, (_, isAnswered) => {
    told.push(isAnswered);
  });
  await link.whenUp(5_000);
  expect(link.isUp).toBe(true);
  told = [];
});
afterEach(async () => {
  link.close();
  await proxy.close();
});

const ping = () => link.call((client) => client.ping(), undefined, lateMs);
const late = () => told.filter((isAnswered) => !isAnswered).length;

describe('calls of a Redis that stopped answering', () => {
  it('are at most ten before the breaker opens, and whoever waits then goes on at once', async () => {
    proxy.delay(20_000);
    const waits: Promise<number>[] = [];
    const startedTick = performance.now();
    // 200 a second.
    while (link.isUp && performance.now() - startedTick < 2_000) {
      const askedTick = performance.now();
      waits.push(ping().then((answer) => (answer === unavailable ? performance.now() - askedTick : 0)));
      await sleep(5);
    }
    const openedMs = performance.now() - startedTick;
    const waitedMs = await Promise.all(waits);
    expect(waits.length).toBeGreaterThan(10);
    expect(Math.min(...waitedMs)).toBeGreaterThan(0);
    expect(openedMs).toBeLessThan(400);
    // Those under way at that moment included; the first probe is late only after this.
    await sleep(150);
    expect(late()).toBeLessThanOrEqual(10);
    expect(late()).toBeGreaterThanOrEqual(8);
  });

  it('are held back until the next answer, and made then', async () => {
    proxy.delay(50);
    const early = Array.from({ length: 8 }, ping);
    await sleep(20);
    let sentAtMs = 0;
    const askedTick = performance.now();
    const held = link.call((client) => {
      sentAtMs = performance.now() - askedTick;
      return client.ping();
    });
    await sleep(10);
    expect(sentAtMs).toBe(0);
    await proxy.restore();
    expect(await held).toBe('PONG');
    expect(await Promise.all(early)).toEqual(Array.from({ length: 8 }, () => 'PONG'));
    expect(link.isUp).toBe(true);
  });

  it('are all answered while it is well, however many there are at once', async () => {
    const many = await Promise.all(Array.from({ length: 3_000 }, ping));
    expect(new Set(many)).toEqual(new Set(['PONG']));
    expect(late()).toBe(0);
  });

  it('are made again after it came back, whatever never had an answer', async () => {
    await proxy.blackHole();
    while (link.isUp) {
      void ping();
      await sleep(5);
    }
    await proxy.restore();
    const startedTick = performance.now();
    while (!link.isUp && performance.now() - startedTick < 5_000) await sleep(10);
    expect(await ping()).toBe('PONG');
  });
});

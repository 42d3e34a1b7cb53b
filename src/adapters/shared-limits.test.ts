import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { rateLimit } from '../../test/builders.ts';
import { percentile } from '../../test/chaos/row.ts';
import { admits, claim, ownBudget, SharedGround, until } from '../../test/servers/shared-ground.ts';
import { startTcpFaultProxy } from '../../test/tcp-fault/index.ts';
import { limitName, type RateLimitClaim } from '../core/limits.ts';
import type { RateLimitReservation } from '../core/ports.ts';
import { Secret } from '../core/secret.ts';
import type { Shared } from './shared.ts';

const ground = new SharedGround();

async function admittedOf(one: Shared, claim: RateLimitClaim, tries: number): Promise<number> {
  let admitted = 0;
  for (let index = 0; index < tries; index++) if ((await admits(one, claim)) !== null) admitted += 1;
  return admitted;
}

/** Redis has said what is set aside there: in its first minute a replica takes it from nobody else. */
async function hear(one: Shared, claimed: RateLimitClaim): Promise<void> {
  const reservation = await admits(one, { ...claimed, amount: 0 });
  if (reservation !== null) one.limiter.release('request', reservation);
}

describe('limits while Redis fails', () => {
  it('are one over all replicas, fall to shares without Redis, and are one again, counting what happened meanwhile', async () => {
    const [one, other] = (await ground.replicas(2)) as [Shared, Shared];
    const limited = claim(20);
    expect(await admittedOf(one, limited, 4)).toBe(4);
    expect(await admittedOf(other, limited, 3)).toBe(3);
    await ground.proxy.refuse();
    await until(() => one.redisIsUp() === false && other.redisIsUp() === false);
    // Half of 20 each, less what each has admitted before.
    expect(await admittedOf(one, limited, 20)).toBe(6);
    expect(await admittedOf(other, limited, 5)).toBe(5);
    await ground.proxy.restore();
    await until(() => one.redisIsUp() === true && other.redisIsUp() === true, 5_000);
    // Both are seen by Redis again, and have told it.
    await sleep(1_200);
    // 18 of 20 are known to Redis now.
    expect(await admittedOf(other, limited, 5)).toBe(2);
    expect(await admittedOf(one, limited, 5)).toBe(0);
  });

  it('are shared out to the last one, also where they do not divide, and 0 of 0', async () => {
    const three = await ground.replicas(3);
    const limits = [0, 1, 2, 7, 20];
    const large = { rule: rateLimit({ limit: 99, metric: 'tokens' }), amount: 99 } as const;
    for (const one of three) {
      for (const limit of limits) await hear(one, claim(limit, { id: `of-${limit}` }));
      await hear(one, large);
    }
    await ground.proxy.refuse();
    await until(() => three.every((one) => one.redisIsUp() === false));
    for (const limit of limits) {
      let sum = 0;
      for (const one of three) sum += await admittedOf(one, claim(limit, { id: `of-${limit}` }), limit + 1);
      expect(sum).toBe(limit);
    }
    // A request larger than its part passes when nothing else is in the window.
    expect(await admittedOf(three[0]!, large, 2)).toBe(1);
  });

  it('can be used to the last one through a single replica while Redis is there', async () => {
    const [one, other] = (await ground.replicas(3)) as [Shared, Shared];
    expect(await admittedOf(one, claim(60, { id: 'all' }), 70)).toBe(60);
    expect(await admittedOf(one, claim(2, { id: 'few' }), 4)).toBe(2);
    const parallel = claim(9, { id: 'all', metric: 'parallel' });
    expect(await admittedOf(other, parallel, 12)).toBe(9);
    const tokens = { rule: rateLimit({ id: 'all', limit: 10_000, metric: 'tokens' }), amount: 2_500 } as const;
    expect(await admittedOf(other, tokens, 6)).toBe(4);
    const both = claim(30, { id: 'both' });
    const bought = await Promise.all([admittedOf(one, both, 40), admittedOf(other, both, 40)]);
    expect(bought[0]! + bought[1]!).toBe(30);
  });

  it('stay usable here when others lacked another limit, or asked many times while this one stood still', async () => {
    const [one, other] = (await ground.replicas(2)) as [Shared, Shared];
    const large = claim(1e9, { id: 'large' });
    await hear(other, large);
    // Each of these lacks what the other replica may use; of the large limit nothing is lacking.
    for (let key = 0; key < 40; key++) {
      const small = claim(2, { id: `small-${key}` });
      // A busy machine may hear an answer to a recall too late for one request, not for all that follow.
      for (let turn = 0; turn < 2; turn++) await until(async () => (await admits(one, small, large)) !== null);
    }
    const { connectRedis } = await import('./redis/connect.ts');
    const client = connectRedis(ground.settings());
    await new Promise((resolve) => client.once('ready', resolve));
    const asked = JSON.stringify([limitName(large.rule), large.rule.limit, 1]);
    await Promise.all(Array.from({ length: 60 }, () => client.publish(`${ground.prefix}:recalls`, asked)));
    await sleep(100);
    client.disconnect();
    await ground.proxy.refuse();
    await until(() => other.redisIsUp() === false && one.redisIsUp() === false);
    expect(await admittedOf(other, large, 500)).toBe(500);
    expect(await admittedOf(one, large, 500)).toBe(500);
  });

  it('are never passed while some replicas have Redis and others have not, whoever had used how much', async () => {
    await ground.begin();
    const other = await startTcpFaultProxy({ port: ground.redis.port });
    const topology = { kind: 'single', address: { host: other.host, port: other.port } } as const;
    const online = await ground.open();
    const away = await ground.open({ redis: ground.settings({ topology }) });
    await until(() => [online, away].every((one) => Math.abs(one.part() - 1 / 2) < 1e-9));
    const fresh = claim(40, { id: 'fresh' });
    await hear(away, fresh);
    // All of it through the one; nothing is left for the other when it falls.
    const spent = claim(40, { id: 'spent' });
    expect(await admittedOf(online, spent, 41)).toBe(40);
    const half = claim(40, { id: 'half' });
    expect(await admittedOf(online, half, 10)).toBe(10);
    await hear(away, half);
    await other.blackHole();
    const rush = (limited: RateLimitClaim) =>
      Promise.all([online, away].flatMap((one) => [1, 2].map(() => admittedOf(one, limited, 25))));
    const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);
    expect(sum(await rush(spent))).toBe(0);
    expect(sum(await rush(half))).toBe(30);
    expect(sum(await rush(fresh))).toBe(40);
    await other.restore();
    await until(() => away.redisIsUp() === true);
    await sleep(500);
    expect(sum(await rush(fresh)) + sum(await rush(half))).toBe(0);
    await other.close();
  });

  it('are not had anew from a Redis that was emptied', async () => {
    const two = (await ground.replicas(2)) as [Shared, Shared];
    const limited = claim(20);
    expect(await admittedOf(two[0], limited, 14)).toBe(14);
    expect(await admittedOf(two[1], limited, 3)).toBe(3);
    const { connectRedis } = await import('./redis/connect.ts');
    const client = connectRedis(ground.settings());
    await new Promise((resolve) => client.once('ready', resolve));
    await client.flushall();
    let more = 0;
    for (let turn = 0; turn < 40; turn++) {
      for (const one of two) more += await admittedOf(one, limited, 2);
      await sleep(50);
    }
    expect(more).toBe(3);
    client.disconnect();
  });

  it('hold parallel slots through an outage, and give back those that ended in it', async () => {
    const [one, other] = (await ground.replicas(2)) as [Shared, Shared];
    const parallel = claim(4, { metric: 'parallel' });
    const before = await admits(one, parallel);
    await ground.proxy.refuse();
    await until(() => one.redisIsUp() === false && other.redisIsUp() === false);
    const during = await admits(one, parallel);
    expect(during).not.toBeNull();
    expect(await admits(one, parallel)).toBeNull();
    await ground.proxy.restore();
    await until(() => one.redisIsUp() === true && other.redisIsUp() === true, 5_000);
    await sleep(50);
    expect(await admittedOf(other, parallel, 5)).toBe(2);
    one.limiter.settle('request', before!, { inputTokens: 0, outputTokens: 0 });
    one.limiter.settle('request', during!, { inputTokens: 0, outputTokens: 0 });
    await until(async () => (await admits(other, parallel)) !== null, 1_000);
  });

  it('count the parallel requests that a replica admitted alone before it asks again', async () => {
    const [one, other] = (await ground.replicas(2)) as [Shared, Shared];
    const parallel = claim(4, { metric: 'parallel' });
    const { connectRedis } = await import('./redis/connect.ts');
    const client = connectRedis(ground.settings());
    await new Promise((resolve) => client.once('ready', resolve));
    // Redis knows nobody any more: what is asked next is decided here.
    const asked = client.del(`${ground.prefix}:{limits}:members`).then(() => admits(one, parallel));
    expect(await asked).not.toBeNull();
    client.disconnect();
    await sleep(1_500);
    expect((await admittedOf(one, parallel, 6)) + (await admittedOf(other, parallel, 6))).toBe(3);
  });

  it('free the parallel slots of what ended while Redis was away, or was never told that it had begun', async () => {
    const [one, other] = (await ground.replicas(2)) as [Shared, Shared];
    const parallel = claim(6, { metric: 'parallel' });
    const open = await Promise.all([1, 2, 3].map(() => admits(one, parallel)));
    expect(open).not.toContain(null);
    // Three more are counted by Redis, but nobody hears of it.
    ground.proxy.delay(2_000);
    const unheard = [1, 2, 3].map(() => admits(one, parallel));
    await sleep(30);
    await ground.proxy.refuse();
    await until(() => one.redisIsUp() === false && other.redisIsUp() === false);
    for (const reservation of [...open, ...(await Promise.all(unheard))])
      if (reservation !== null) one.limiter.settle('request', reservation, { inputTokens: 0, outputTokens: 0 });
    await ground.proxy.restore();
    await until(() => one.redisIsUp() === true && other.redisIsUp() === true, 5_000);
    const all: RateLimitReservation[] = [];
    await until(async () => {
      const more = await admits(other, parallel);
      if (more !== null) all.push(more);
      return all.length === 6;
    }, 5_000);
    expect(await admits(other, parallel)).toBeNull();
  });

  for (const [name, fail] of [
    ['answers after 20 s', () => ground.proxy.delay(20_000)],
    ['is behind a black hole', () => ground.proxy.blackHole()],
    [
      'resets every connection and then refuses',
      () => {
        ground.proxy.reset();
        return ground.proxy.refuse();
      },
    ],
  ] as const) {
    it(`cost at most 100 ms while Redis ${name}, nothing after a second, and come back by themselves`, async () => {
      const [one] = (await ground.replicas(1, ownBudget)) as [Shared];
      const limited = claim(1_000_000);
      const load = { tookMs: [] as number[], lateMs: [] as number[], isOver: false };
      const failedTick = performance.now();
      await fail();
      const lanes = Array.from({ length: 8 }, async () => {
        while (!load.isOver) {
          const askedTick = performance.now();
          expect(await admits(one, limited)).not.toBeNull();
          const tookMs = performance.now() - askedTick;
          (askedTick - failedTick > 1_000 ? load.lateMs : load.tookMs).push(tookMs);
          await sleep(2);
        }
      });
      // What a turn of the event loop costs at this time, with whatever else the machine has to do.
      const turnMs: number[] = [];
      while (performance.now() - failedTick < 2_000) {
        const turnedTick = performance.now();
        await new Promise((done) => setImmediate(done));
        turnMs.push(performance.now() - turnedTick);
        await sleep(5);
      }
      load.isOver = true;
      await Promise.all(lanes);
      expect(one.redisIsUp()).toBe(false);
      expect(Math.max(...load.tookMs)).toBeLessThan(250 + Math.max(...turnMs));
      expect(load.lateMs.length).toBeGreaterThan(100);
      expect(percentile(load.lateMs, 0.99)).toBeLessThan(20 + percentile(turnMs, 0.99));
      await ground.proxy.restore();
      await until(() => one.redisIsUp() === true, 8_000);
      await until(async () => (await admits(one, limited)) !== null);
    });
  }

  it('do not open the breaker for a few slow calls', async () => {
    const [one] = (await ground.replicas(1, ownBudget)) as [Shared];
    ground.proxy.delay(150);
    const answers = await Promise.all([admits(one, claim(5)), admits(one, claim(5)), admits(one, claim(5))]);
    expect(answers).not.toContain(null);
    await ground.proxy.restore();
    expect(one.redisIsUp()).toBe(true);
    // Late answers were taken back, and what was admitted alone was told: three in all.
    await sleep(1_300);
    expect(await admittedOf(one, claim(5), 5)).toBe(2);
  });

  it('know of replicas from the store when Redis was never there', async () => {
    await ground.begin('nowhere');
    await ground.proxy.refuse();
    const startedTick = performance.now();
    const [one, other] = (await Promise.all([ground.open(), ground.open()])) as [Shared, Shared];
    expect(performance.now() - startedTick).toBeLessThan(4_000);
    await until(() => one.replicas() === 2 && other.replicas() === 2);
    expect(await admittedOf(one, claim(10), 10)).toBe(5);
    await ground.proxy.restore();
    await until(() => one.redisIsUp() === true && other.redisIsUp() === true);
    await until(async () => one.replicas() === 2);
  });

  it('stay those of one process when it is alone', async () => {
    const one = await ground.open({ redis: null, alone: true });
    expect(one.redisIsUp()).toBeNull();
    expect(one.limiter.reserve('request', [claim(1)])).not.toBeInstanceOf(Promise);
    expect(one.cache.type).toBe('memory');
  });

  it('work without Redis after a wrong password, and the log does not show it', async () => {
    await ground.begin('denied');
    const lines: string[] = [];
    const note = (message: string, fields = {}) => void lines.push(message + JSON.stringify(fields));
    const log = { debug: () => {}, info: note, warn: note, error: note };
    const one = await ground.open({ redis: ground.settings({ password: new Secret('not-the-password') }), log });
    expect(await admits(one, claim(5))).not.toBeNull();
    expect(one.redisIsUp()).toBe(false);
    expect(lines.join('\n')).toMatch(/WRONGPASS/);
    expect(lines.join('\n')).not.toContain('not-the-password');
  });
});

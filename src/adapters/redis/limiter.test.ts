import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rateLimit, silentLog, TestClock } from '../../../test/builders.ts';
import { limiterContract } from '../../../test/contract/limiter.ts';
import { redisAddress } from '../../../test/servers/index.ts';
import { redisSettings } from '../../../test/servers/redis-settings.ts';
import type { RateLimitClaim } from '../../core/limits.ts';
import { createMemoryLimiter } from '../memory/limiter.ts';
import { SharedLimiter } from '../shared/limiter.ts';
import { OwnPart } from '../shared/part.ts';
import { Recalls } from '../shared/recalls.ts';
import { systemChance, systemClock } from '../system-clock.ts';
import { parallelLifeMs, RedisLimiter, RedisReservation } from './limiter.ts';
import { RedisLink } from './link.ts';
import type { Membership } from './members.ts';

const noTokens = { inputTokens: 0, outputTokens: 0 };
const clock = systemClock();
const links: RedisLink[] = [];
let address: Awaited<ReturnType<typeof redisAddress>>;
let prefixes = 0;

beforeAll(async () => {
  address = await redisAddress();
});
afterAll(() => {
  for (const link of links) link.close();
});

async function openLink(prefix = `${address.prefix}${++prefixes}`): Promise<RedisLink> {
  // A busy machine is no subject here.
  const link = new RedisLink(redisSettings(address.url, { prefix }), clock, silentLog, 10_000);
  links.push(link);
  await link.whenUp(5_000);
  if (!link.isUp) throw new Error('Redis is not there');
  return link;
}

let contractLink: Promise<RedisLink> | undefined;

/** One connection for all; counters apart by the scope's prefix. */
async function overRedis(time: TestClock): Promise<SharedLimiter> {
  contractLink ??= openLink();
  const link = await contractLink;
  const own = Object.create(link, { prefix: { value: `${address.prefix}${++prefixes}` } }) as RedisLink;
  const bound = new Proxy(own, {
    get: (_, name) => {
      if (name === 'prefix') return own.prefix;
      const value = Reflect.get(link, name, link) as unknown;
      return typeof value === 'function' ? (value.bind(link) as unknown) : value;
    },
  });
  const remote = new RedisLimiter({ link: bound, clock: time, chance: systemChance, time: () => time.now() });
  const local = createMemoryLimiter(time);
  const ready: Membership = { state: 'ready', run: 'one', part: null, isAlone: true, replicas: [] };
  const limiter = new SharedLimiter({
    remote,
    local,
    own: new OwnPart(time, () => 1),
    presence: { beatInRedis: async () => ready, told: () => {} },
    recalls: new Recalls(time, () => {}),
    clock: time,
    withoutRemote: () => 'share',
  });
  await remote.prepare();
  await limiter.catchUp();
  expect(limiter.remoteDecides).toBe(true);
  return limiter;
}

limiterContract('Redis', overRedis);

describe('limits over several connections', () => {
  const admittedBy = (answer: unknown): answer is RedisReservation => answer instanceof RedisReservation;

  async function replicas(count: number, options: { time?: () => number; slotMs?: number } = {}) {
    const prefix = `${address.prefix}${++prefixes}`;
    return Promise.all(
      Array.from({ length: count }, async () => {
        const link = await openLink(prefix);
        const limiter = new RedisLimiter({ link, clock, chance: systemChance, ...options });
        await limiter.prepare();
        return limiter;
      }),
    );
  }

  it('never admits more than the limit in any window of 60 s, all claims or none', async () => {
    const time = new TestClock();
    const three = await replicas(3, { time: () => time.now() });
    let runs = 0;
    const batch = fc.record({
      wait: fc.integer({ min: 0, max: 25_000 }),
      asks: fc.array(fc.record({ replica: fc.nat(2), amount: fc.integer({ min: 1, max: 3 }) }), { maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 15 }), fc.array(batch, { maxLength: 12 }), async (limit, batches) => {
        const id = `run-${++runs}`;
        const tokens = rateLimit({ id, limit, metric: 'tokens' });
        const requests = rateLimit({ id, limit: Math.max(1, limit - 2), metric: 'requests' });
        const made: { at: number; amount: number }[] = [];
        for (const { wait, asks } of batches) {
          time.advance(wait);
          const answers = await Promise.all(
            asks.map(async ({ replica, amount }) => ({
              amount,
              answer: await three[replica]!.reserve([
                { rule: tokens, amount },
                { rule: requests, amount: 1 },
              ]),
            })),
          );
          for (const { amount, answer } of answers) if (admittedBy(answer)) made.push({ at: time.now(), amount });
          const inWindow = made.filter(({ at }) => at > time.now() - 60_000);
          expect(inWindow.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(limit);
          expect(inWindow.length).toBeLessThanOrEqual(requests.limit);
          const refused = answers.filter(({ answer }) => !admittedBy(answer));
          const counted = made.filter(({ at }) => at > time.now() - 60_500);
          const sum = counted.reduce((total, { amount }) => total + amount, 0);
          for (const { amount } of refused) {
            expect(sum + amount > limit || counted.length + 1 > requests.limit).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('holds it by the clock of the server too, under a rush of three', async () => {
    const slotMs = 2;
    const windowMs = 240 * slotMs;
    const limit = 40;
    const three = await replicas(3, { slotMs });
    const rule = rateLimit({ limit });
    const made: { asked: number; answered: number }[] = [];
    const end = performance.now() + 3 * windowMs;
    await Promise.all(
      three.flatMap((limiter) =>
        Array.from({ length: 4 }, async () => {
          while (performance.now() < end) {
            const asked = performance.now();
            const answer = await limiter.reserve([{ rule, amount: 1 }]);
            if (admittedBy(answer)) made.push({ asked, answered: performance.now() });
          }
        }),
      ),
    );
    for (const { asked } of made) {
      const surelyInside = made.filter((one) => one.asked >= asked && one.answered < asked + windowMs);
      expect(surelyInside.length).toBeLessThanOrEqual(limit);
    }
    expect(made.length).toBeGreaterThan(2 * limit);
  });

  it('frees the parallel slots of a replica that died, and keeps those of one that lives', async () => {
    const time = new TestClock();
    const [dead, alive, other] = await replicas(3, { time: () => time.now() });
    const claim: RateLimitClaim = { rule: rateLimit({ metric: 'parallel', limit: 2 }), amount: 1 };
    expect(admittedBy(await dead!.reserve([claim]))).toBe(true);
    const open = await alive!.reserve([claim]);
    expect(admittedBy(open)).toBe(true);
    for (let passed = 0; passed < 3; passed++) {
      expect(admittedBy(await other!.reserve([claim]))).toBe(false);
      time.advance(parallelLifeMs / 3);
      await alive!.renew();
    }
    expect(admittedBy(await other!.reserve([claim]))).toBe(true);
    expect(admittedBy(await other!.reserve([claim]))).toBe(false);
    alive!.settle(open as RedisReservation, noTokens);
    expect(alive!.openCount).toBe(0);
    // Over the same connection, so it comes after.
    await alive!.add([{ rule: rateLimit({ id: 'another' }), ageMs: 0, amount: 1 }]);
    expect(admittedBy(await other!.reserve([claim]))).toBe(true);
  });

  it('tells a Redis that forgot everything which requests are still open', async () => {
    const [one, other] = await replicas(2);
    const claim: RateLimitClaim = { rule: rateLimit({ metric: 'parallel', limit: 1 }), amount: 1 };
    await one!.reserve([claim]);
    await flush();
    await one!.renew();
    expect(admittedBy(await other!.reserve([claim]))).toBe(false);
  });

  it('is told what was admitted without it', async () => {
    const time = new TestClock();
    const [one] = await replicas(1, { time: () => time.now() });
    const rule = rateLimit({ metric: 'tokens', limit: 10 });
    await one!.add([
      { rule, ageMs: 50_000, amount: 6 },
      { rule, ageMs: 5_000, amount: 3 },
      { rule, ageMs: 70_000, amount: 100 },
    ]);
    expect(await one!.reserve([{ rule, amount: 2 }])).toMatchObject({ used: 9 });
    time.advance(10_500);
    expect(admittedBy(await one!.reserve([{ rule, amount: 7 }]))).toBe(true);
    expect(admittedBy(await one!.reserve([{ rule, amount: 1 }]))).toBe(false);
  });

  it('goes on when the clock of the server jumps back, without letting more through', async () => {
    const time = new TestClock();
    const [one] = await replicas(1, { time: () => time.now() });
    const rule = rateLimit({ limit: 3 });
    for (let index = 0; index < 3; index++) expect(admittedBy(await one!.reserve([{ rule, amount: 1 }]))).toBe(true);
    time.advance(-5_000);
    expect(admittedBy(await one!.reserve([{ rule, amount: 1 }]))).toBe(false);
    time.advance(-600_000);
    expect(admittedBy(await one!.reserve([{ rule, amount: 1 }]))).toBe(false);
    time.advance(60_500);
    expect(admittedBy(await one!.reserve([{ rule, amount: 1 }]))).toBe(true);
  });

  it('counts a claim made twice in one request twice', async () => {
    const [one] = await replicas(1);
    const claim = { rule: rateLimit({ limit: 3 }), amount: 2 };
    expect(admittedBy(await one!.reserve([claim, claim]))).toBe(false);
    expect(admittedBy(await one!.reserve([claim]))).toBe(true);
  });

  async function flush(): Promise<void> {
    const keys = await links.at(-1)!.client.keys(`${links.at(-1)!.prefix}*`);
    if (keys.length > 0) await links.at(-1)!.client.del(...keys);
  }
});

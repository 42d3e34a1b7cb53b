import { expect, it } from 'vitest';
import { rateLimit, TestClock } from '../../../test/builders.ts';
import type { RateLimitClaim } from '../../core/limits.ts';
import { createMemoryLimiter } from '../memory/limiter.ts';
import { RedisReservation } from '../redis/limiter.ts';
import { unavailable } from '../redis/link.ts';
import type { Membership } from '../redis/members.ts';
import { SharedLimiter } from './limiter.ts';
import { OwnPart } from './part.ts';
import { Recalls } from './recalls.ts';

const claim: RateLimitClaim = { rule: rateLimit({ limit: 4 }), amount: 1 };
const ready: Membership = { state: 'ready', run: 'one', part: { from: 0, to: 0.25 }, isAlone: true, replicas: ['a'] };

/** One replica of four, and a Redis whose answers are given here. */
function world() {
  const clock = new TestClock();
  const own = new OwnPart(clock, () => 4);
  own.hold(ready.part, true);
  const redis = { isUp: true, answers: true, asked: 0 };
  const told = Promise.withResolvers<Membership>();
  const limiter = new SharedLimiter({
    remote: {
      reserve: async (claims) => {
        redis.asked += 1;
        return redis.answers ? new RedisReservation(claims, [], 'r') : unavailable;
      },
      adopt: (claims) => new RedisReservation(claims, [], 'r'),
      settle: () => {},
      release: () => {},
      add: async () => true,
      renew: async () => true,
      tellOpen: async () => true,
      hasUntold: false,
      freeLeftOver: async () => {},
      giveBack: async () => true,
      get isUp() {
        return redis.isUp;
      },
    },
    local: createMemoryLimiter(clock),
    own,
    presence: { beatInRedis: () => told.promise, told: () => {} },
    recalls: new Recalls(clock, () => {}),
    clock,
    withoutRemote: () => 'share',
  });
  return { limiter, redis, told };
}

it('asks Redis before it refuses by its own part, when Redis is just being told what it missed', async () => {
  const { limiter, redis, told } = world();
  void limiter.catchUp();
  // One of four is its own part.
  expect(await limiter.reserve('1', [claim])).not.toHaveProperty('rule');
  const second = limiter.reserve('2', [claim]);
  expect(redis.asked).toBe(0);
  told.resolve(ready);
  expect(await second).not.toHaveProperty('rule');
  expect(redis.asked).toBe(1);
});

it('and when a single answer was missing', async () => {
  const { limiter, redis, told } = world();
  told.resolve(ready);
  await limiter.catchUp();
  redis.answers = false;
  expect(await limiter.reserve('1', [claim])).not.toHaveProperty('rule');
  const second = limiter.reserve('2', [claim]);
  redis.answers = true;
  expect(await second).not.toHaveProperty('rule');
});

it('refuses at once by its own part when Redis is away', async () => {
  const { limiter, redis } = world();
  redis.isUp = false;
  void limiter.catchUp();
  expect(limiter.reserve('1', [claim])).not.toHaveProperty('rule');
  expect(limiter.reserve('2', [claim])).toHaveProperty('rule');
});

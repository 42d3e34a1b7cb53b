import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateLimitClaim, RateLimitDenial } from '../../src/core/limits.ts';
import type { Limiter, RateLimitReservation } from '../../src/core/ports.ts';
import { rateLimit, TestClock } from '../builders.ts';

const noTokens = { inputTokens: 0, outputTokens: 0 };

function admitted(answer: RateLimitReservation | RateLimitDenial): RateLimitReservation {
  if ('rule' in answer) throw new Error(`refused: ${answer.used} of ${answer.rule.limit} ${answer.rule.metric}`);
  return answer;
}

/** What every limiter must hold, whatever keeps its counters. */
export function limiterContract(name: string, create: (clock: TestClock) => Promise<Limiter> | Limiter): void {
  describe(`limiter: ${name}`, () => {
    const one = (more: Parameters<typeof rateLimit>[0], amount = 1): RateLimitClaim => ({
      rule: rateLimit(more),
      amount,
    });

    it('admits up to the limit and then says how much is used and when it is free again', async () => {
      const clock = new TestClock();
      const limiter = await create(clock);
      const claim = one({ limit: 2 });
      expect(admitted(await limiter.reserve('a', [claim])).remaining).toEqual([1]);
      clock.advance(10_000);
      expect(admitted(await limiter.reserve('b', [claim])).remaining).toEqual([0]);
      const denial = (await limiter.reserve('c', [claim])) as RateLimitDenial;
      expect(denial.rule).toEqual(claim.rule);
      expect(denial.used).toBe(2);
      expect(denial.resetAt - clock.now()).toBeGreaterThan(49_000);
      expect(denial.resetAt - clock.now()).toBeLessThanOrEqual(51_000);
      clock.advance(denial.resetAt - clock.now());
      admitted(await limiter.reserve('d', [claim]));
    });

    it('takes all claims or none', async () => {
      const limiter = await create(new TestClock());
      const wide = one({ limit: 5, id: 'wide' });
      const shut = one({ limit: 0, id: 'shut' });
      expect('rule' in (await limiter.reserve('a', [wide, shut]))).toBe(true);
      for (let index = 0; index < 5; index++) admitted(await limiter.reserve(`b${index}`, [wide]));
      expect('rule' in (await limiter.reserve('c', [wide]))).toBe(true);
    });

    it('keeps scopes, ids, models and metrics apart', async () => {
      const limiter = await create(new TestClock());
      const claims = [
        one({ limit: 1 }),
        one({ limit: 1, id: 'other' }),
        one({ limit: 1, scope: 'team' }),
        one({ limit: 1, model: 'm' }),
        one({ limit: 1, metric: 'tokens' }),
        one({ limit: 1, metric: 'tokens', tokens: 'input' }),
      ];
      for (const claim of claims) admitted(await limiter.reserve('a', [claim]));
      for (const claim of claims) expect('rule' in (await limiter.reserve('b', [claim]))).toBe(true);
    });

    it('frees parallel slots when requests end, once', async () => {
      const limiter = await create(new TestClock());
      const claim = one({ limit: 1, metric: 'parallel' });
      const first = admitted(await limiter.reserve('a', [claim]));
      expect('rule' in (await limiter.reserve('b', [claim]))).toBe(true);
      limiter.settle('a', first, noTokens);
      limiter.settle('a', first, noTokens);
      admitted(await limiter.reserve('c', [claim]));
      expect('rule' in (await limiter.reserve('d', [claim]))).toBe(true);
    });

    it('puts the true tokens in place of the reserved ones', async () => {
      const limiter = await create(new TestClock());
      const total = one({ limit: 100, metric: 'tokens' }, 60);
      const input = one({ limit: 100, metric: 'tokens', tokens: 'input', id: 'in' }, 60);
      const first = admitted(await limiter.reserve('a', [total, input]));
      expect('rule' in (await limiter.reserve('b', [total]))).toBe(true);
      limiter.settle('a', first, { inputTokens: 10, outputTokens: 80 });
      expect(admitted(await limiter.reserve('c', [one({ limit: 100, metric: 'tokens' }, 10)])).remaining).toEqual([0]);
      admitted(await limiter.reserve('d', [one({ limit: 100, metric: 'tokens', tokens: 'input', id: 'in' }, 90)]));
    });

    it('forgets a released claim as if it had never been made', async () => {
      const limiter = await create(new TestClock());
      const claims = [one({ limit: 1 }), one({ limit: 1, metric: 'parallel' }), one({ limit: 5, metric: 'tokens' }, 5)];
      limiter.release('a', admitted(await limiter.reserve('a', claims)));
      admitted(await limiter.reserve('b', claims));
    });

    it('never admits more than the limit in any window of 60 s, and refuses only what would', async () => {
      const steps = fc.array(
        fc.record({ wait: fc.integer({ min: 0, max: 20_000 }), amount: fc.integer({ min: 1, max: 4 }) }),
        {
          maxLength: 60,
        },
      );
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 12 }), steps, async (limit, sequence) => {
          const clock = new TestClock();
          const limiter = await create(clock);
          const rule = rateLimit({ limit, metric: 'tokens' });
          const made: { at: number; amount: number }[] = [];
          const within = (ms: number) =>
            made.filter(({ at }) => at > clock.now() - ms).reduce((sum, { amount }) => sum + amount, 0);
          for (const { wait, amount } of sequence) {
            clock.advance(wait);
            const answer = await limiter.reserve('x', [{ rule, amount }]);
            if ('rule' in answer) expect(within(61_000) + amount).toBeGreaterThan(limit);
            else {
              made.push({ at: clock.now(), amount });
              expect(within(60_000)).toBeLessThanOrEqual(limit);
            }
          }
        }),
        { numRuns: 200 },
      );
    });
  });
}

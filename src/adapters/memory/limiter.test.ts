import { describe, expect, it } from 'vitest';
import { rateLimit, TestClock } from '../../../test/builders.ts';
import { limiterContract } from '../../../test/contract/limiter.ts';
import { createMemoryLimiter } from './limiter.ts';

limiterContract('memory', createMemoryLimiter);

describe('memory limiter', () => {
  it('drops counters nobody uses any more, and keeps those of open requests', () => {
    const clock = new TestClock();
    const limiter = createMemoryLimiter(clock);
    const parallel = { rule: rateLimit({ id: 'open', metric: 'parallel', limit: 1 }), amount: 1 };
    limiter.reserve('open', [parallel]);
    for (let index = 0; index < 5_000; index++) {
      limiter.reserve(`r${index}`, [{ rule: rateLimit({ id: `key-${index}` }), amount: 1 }]);
    }
    expect(limiter.size).toBe(5_001);
    clock.advance(61_000);
    const busy = { rule: rateLimit({ id: 'busy', limit: 100_000 }), amount: 1 };
    for (let index = 0; index < 2_000; index++) limiter.reserve(`s${index}`, [busy]);
    expect(limiter.size).toBeLessThanOrEqual(64);
    expect('rule' in limiter.reserve('again', [parallel])).toBe(true);
  });

  it('counts on in a fresh counter after the old one was dropped, for the same rule object', () => {
    const clock = new TestClock();
    const limiter = createMemoryLimiter(clock);
    const claim = { rule: rateLimit({ limit: 1 }), amount: 1 };
    limiter.reserve('a', [claim]);
    clock.advance(61_000);
    for (let index = 0; index < 10; index++) limiter.reserve('b', [{ rule: rateLimit({ id: 'b' }), amount: 1 }]);
    expect('rule' in limiter.reserve('c', [claim])).toBe(false);
    expect('rule' in limiter.reserve('d', [{ rule: rateLimit({ limit: 1 }), amount: 1 }])).toBe(true);
  });
});

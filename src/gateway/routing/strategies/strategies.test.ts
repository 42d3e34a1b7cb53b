import { describe, expect, it } from 'vitest';
import { deployment, price, seededChance, snapshot, TestClock } from '../../../../test/builders.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Deployment, RoutingStrategy } from '../../../core/route.ts';
import { createHealth } from '../health.ts';
import { strategies } from './index.ts';

const clock = new TestClock();

function shares(name: RoutingStrategy, candidates: readonly Deployment[], health = createHealth(clock), more = {}) {
  const chance = seededChance(7);
  const counts = new Map<string, number>();
  const rounds = 10_000;
  for (let round = 0; round < rounds; round++) {
    const { id } = strategies[name].pick({ candidates, health, chance, stream: false, latencyBuffer: 0, ...more });
    counts.set(id, (counts.get(id) ?? 0) + 1 / rounds);
  }
  return candidates.map(({ id }) => Math.round((counts.get(id) ?? 0) * 20) / 20);
}

describe('every strategy', () => {
  it.each(Object.keys(strategies) as RoutingStrategy[])('%s picks only from what it is given', (name) => {
    const candidates = [deployment(), deployment({ weight: 3 }), deployment({ rpm: 5 }), deployment({ price: null })];
    const health = createHealth(clock);
    const chance = seededChance(3);
    for (let size = 1; size <= candidates.length; size++) {
      const given = candidates.slice(0, size);
      for (let round = 0; round < 50; round++) {
        const picked = strategies[name].pick({
          candidates: given,
          health,
          chance,
          stream: round % 2 === 0,
          latencyBuffer: 0.1,
        });
        expect(given).toContain(picked);
        health.started(picked);
      }
    }
  });
});

describe('simple-shuffle', () => {
  it('is even without figures', () => {
    expect(shares('simple-shuffle', [deployment(), deployment()])).toEqual([0.5, 0.5]);
  });
  it('goes by weight, then rpm, then tpm', () => {
    expect(shares('simple-shuffle', [deployment({ weight: 9, rpm: 1 }), deployment({ weight: 1, rpm: 99 })])).toEqual([
      0.9, 0.1,
    ]);
    expect(shares('simple-shuffle', [deployment({ rpm: 300, tpm: 1 }), deployment({ rpm: 100, tpm: 9 })])).toEqual([
      0.75, 0.25,
    ]);
    expect(shares('simple-shuffle', [deployment({ tpm: 400 }), deployment({ tpm: 100 })])).toEqual([0.8, 0.2]);
  });
  it('keeps the shares among a thousand', () => {
    const thousand = Array.from({ length: 1_000 }, (_, at) => deployment({ weight: at < 500 ? 3 : 1 }));
    const clock = new TestClock();
    const chance = seededChance(11);
    let heavy = 0;
    for (let round = 0; round < 20_000; round++) {
      const choice = { candidates: thousand, health: createHealth(clock), chance, stream: false, latencyBuffer: 0 };
      if (strategies['simple-shuffle'].pick(choice).weight === 3) heavy += 1;
    }
    expect(heavy / 20_000).toBeGreaterThan(0.73);
    expect(heavy / 20_000).toBeLessThan(0.77);
  });
  it('never picks a deployment of weight 0 beside one with weight, wherever it stands', () => {
    expect(shares('simple-shuffle', [deployment({ weight: 0 }), deployment({ weight: 1 }), deployment()])).toEqual([
      0, 1, 0,
    ]);
  });
  it('picks something when all weights are 0', () => {
    expect(shares('simple-shuffle', [deployment({ weight: 0 }), deployment({ weight: 0 })])).toEqual([0.5, 0.5]);
  });
});

describe('least-busy', () => {
  it('picks the fewest in flight and is even among equals', () => {
    const [busy, free, alsoFree] = [deployment(), deployment(), deployment()];
    const health = createHealth(clock);
    health.started(busy);
    expect(shares('least-busy', [busy, free, alsoFree], health)).toEqual([0, 0.5, 0.5]);
    health.released(busy);
    health.started(free);
    health.started(alsoFree);
    expect(shares('least-busy', [busy, free, alsoFree], health)).toEqual([1, 0, 0]);
  });
});

describe('cost-based-routing', () => {
  it('picks the cheapest, the first among equals, the unpriced last', () => {
    const [unpriced, cheap, dear, cheapToo] = [
      deployment({ price: null }),
      deployment({ price: price(0.1, 0.2) }),
      deployment({ price: price(0.1, 9) }),
      deployment({ price: price(0.2, 0.1) }),
    ];
    expect(shares('cost-based-routing', [unpriced, dear, cheap, cheapToo])).toEqual([0, 0, 1, 0]);
    expect(shares('cost-based-routing', [unpriced])).toEqual([1]);
  });
});

describe('usage-based-routing', () => {
  it.each(['usage-based-routing', 'usage-based-routing-v2'] as const)(
    '%s picks the fewest tokens of the minute',
    (name) => {
      const [used, unused] = [deployment(), deployment()];
      const health = createHealth(clock);
      health.succeeded(used, { totalMs: 1, firstTokenMs: null, inputTokens: 10, outputTokens: 0 });
      expect(shares(name, [used, unused], health)).toEqual([0, 1]);
    },
  );
});

describe('latency-based-routing', () => {
  const sample = (totalMs: number, firstTokenMs: number | null = null) => ({
    totalMs,
    firstTokenMs,
    inputTokens: 1,
    outputTokens: 1,
  });

  it('tries the unseen first, then the fastest, then all within the buffer', () => {
    const [fast, near, slow] = [deployment(), deployment(), deployment()];
    const health = createHealth(clock);
    health.succeeded(fast, sample(100));
    health.succeeded(near, sample(105));
    expect(shares('latency-based-routing', [fast, near, slow], health)).toEqual([0, 0, 1]);
    health.succeeded(slow, sample(900));
    expect(shares('latency-based-routing', [fast, near, slow], health)).toEqual([1, 0, 0]);
    expect(shares('latency-based-routing', [fast, near, slow], health, { latencyBuffer: 0.1 })).toEqual([0.5, 0.5, 0]);
  });

  it('compares time to first token for streams', () => {
    const [quickStart, quickWhole] = [deployment(), deployment()];
    const health = createHealth(clock);
    health.succeeded(quickStart, sample(900, 10));
    health.succeeded(quickWhole, sample(100, 90));
    expect(shares('latency-based-routing', [quickStart, quickWhole], health, { stream: true })).toEqual([1, 0]);
    expect(shares('latency-based-routing', [quickStart, quickWhole], health)).toEqual([0, 1]);
  });

  it('leaves a deployment that timed out, and comes back to it after a while', () => {
    const own = new TestClock();
    const [hung, slow] = [deployment(), deployment()];
    const health = createHealth(own);
    health.succeeded(hung, sample(10));
    health.succeeded(slow, sample(200));
    const late = new GatewayError('upstream_timeout', 'late');
    for (let index = 0; index < 5; index++) health.failed(hung, late, snapshot(), 2);
    expect(shares('latency-based-routing', [hung, slow], health)).toEqual([0, 1]);
    own.advance(600_000);
    health.succeeded(slow, sample(200));
    expect(shares('latency-based-routing', [hung, slow], health)).toEqual([1, 0]);
  });
});

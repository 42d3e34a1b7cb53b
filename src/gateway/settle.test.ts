import { describe, expect, it } from 'vitest';
import {
  budget,
  deployment,
  gateway,
  planned,
  price,
  principal,
  rateLimit,
  simpleLedger,
  snapshot,
  testProvider,
} from '../../test/builders.ts';
import { asAnswered, type Outcome, type Reply } from '../core/exchange.ts';
import type { Attempt } from '../core/request-record.ts';
import type { Deployment, GatewaySettings } from '../core/route.ts';
import { noUsage, type Usage } from '../core/usage.ts';
import { admit } from './admit.ts';
import { settle } from './settle.ts';

const tokens = (inputTokens: number, outputTokens: number, more: Partial<Usage> = {}): Usage => ({
  ...noUsage,
  inputTokens,
  outputTokens,
  ...more,
});

const attempt = { result: 'success', ambiguous: false } as Attempt;

async function settled(
  outcome: Partial<Outcome>,
  of: Deployment = deployment({ price: price(1, 2) }),
  settings: Partial<GatewaySettings> = {},
) {
  const ledger = simpleLedger();
  const ours = gateway({ ledger });
  const account = budget({ cap: 1e12 });
  const perMinute = rateLimit({ metric: 'tokens', limit: 10_000_000 });
  const exchange = await admit(
    ours,
    planned({
      snapshot: snapshot({ deployments: [of], settings }),
      principal: principal({ budgets: [account], rateLimits: [perMinute] }),
    }),
  );
  const bound = exchange.bound;
  const answered = asAnswered(exchange, { reply: {} as Reply });
  const whole: Outcome = {
    kind: 'success',
    usage: noUsage,
    attempts: [attempt],
    deployment: of,
    group: 'm',
    modelUsed: 'upstream-model',
    cacheHit: false,
    cacheKey: null,
    error: null,
    httpStatus: 200,
    finishReason: 'stop',
    firstTokenAt: null,
    endedAt: 1,
    upstreamMs: 0,
    ambiguousCost: 0,
    responseText: null,
    ...outcome,
  };
  const done = settle(ours, answered, whole);
  settle(ours, answered, whole);
  const probe = ours.limiter.reserve('probe', [{ rule: perMinute, amount: 0 }]) as { remaining: readonly number[] };
  return { ...done, bound, ledger, spent: ledger.balance(account), tokensUsed: 10_000_000 - probe.remaining[0]! };
}

describe('settle', () => {
  it('puts the true cost and the true tokens in place of what was held, once', async () => {
    const { settled: done, ledger, spent, tokensUsed } = await settled({ usage: tokens(100, 50) });
    expect(done.cost).toBe(100 * 1_000 + 50 * 2_000);
    expect(spent).toMatchObject({ spent: done.cost, held: 0 });
    expect(ledger.rows).toHaveLength(1);
    expect(tokensUsed).toBe(150);
  });

  it('takes the provider’s own figure, the discount and the margin', async () => {
    expect((await settled({ usage: tokens(1, 1, { providerCost: 777 }) })).settled.cost).toBe(777);
    const { cost } = await settled({ usage: tokens(1_000, 0) }, undefined, {
      priceDiscounts: { acme: 0.5 },
      priceMargins: { acme: { ratio: 0.1, fixed: 3 } },
    });
    expect(cost).toEqual({ listed: 1_000_000, discount: 500_000, margin: 50_003, charged: 550_003 });
  });

  it('charges nothing for a cache hit or a failure that bought nothing', async () => {
    expect((await settled({ cacheHit: true, usage: tokens(9, 9) })).settled.cost).toBe(0);
    expect((await settled({ kind: 'failure', httpStatus: 503 })).settled.cost).toBe(0);
    expect((await settled({ deployment: null, attempts: [] })).settled.cost).toBe(0);
  });

  it('charges attempts whose outcome stayed unknown at their hold, beside the one that answered', async () => {
    expect((await settled({ usage: tokens(100, 0), ambiguousCost: 5_000 })).settled.cost).toBe(105_000);
    expect((await settled({ kind: 'failure', ambiguousCost: 5_000 })).settled.cost).toBe(5_000);
  });

  it('charges an abandoned or broken stream what was seen, or the hold where the provider goes on', async () => {
    const seen = await settled({ kind: 'aborted', httpStatus: 499, usage: tokens(100, 7) });
    expect(seen.settled.cost).toBe(114_000);
    const left = [{ ...attempt, result: 'aborted' }];
    const silent = await settled({ kind: 'aborted', httpStatus: 499, attempts: left });
    expect(silent.settled.record.usage).toMatchObject({ estimated: true });
    expect(silent.settled.cost).toBeGreaterThan(0);
    const stubborn = deployment({ price: price(1, 2), provider: { ...testProvider, stopsOnHangup: false } });
    const held = await settled({ kind: 'aborted', httpStatus: 499, usage: tokens(100, 7), attempts: left }, stubborn);
    expect(held.settled.cost).toBe(held.bound);
    const broken = { kind: 'failure', httpStatus: 200, usage: tokens(100, 7), attempts: [attempt] } as const;
    expect((await settled({ ...broken, brokeOff: true })).settled.cost).toBe(114_000);
    expect((await settled({ ...broken, brokeOff: true }, stubborn)).settled.cost).toBe(held.bound);
    expect((await settled({ ...broken }, stubborn)).settled.cost).toBe(114_000);
    const twice = await settled({ kind: 'aborted', httpStatus: 499, attempts: left, ambiguousCost: 5_000 }, stubborn);
    expect(twice.settled.cost).toBe(twice.bound + 5_000);
    const between = await settled({ kind: 'aborted', httpStatus: 499, ambiguousCost: 5_000 }, stubborn);
    expect(between.settled.cost).toBe(5_000);
    expect((await settled({ kind: 'aborted', httpStatus: 499, attempts: [] }, stubborn)).settled.cost).toBe(0);
  });

  it('charges no fee per request, and no input, to whom nobody answered', async () => {
    const withFee = deployment({ price: { ...price(1, 2), perRequest: 700 } });
    const refused = [{ ...attempt, result: 'upstream_unavailable' }];
    for (const kind of ['failure', 'aborted'] as const) {
      const ended = { kind, httpStatus: 503, attempts: refused };
      expect((await settled(ended, withFee)).settled.cost).toBe(0);
      expect((await settled({ ...ended, ambiguousCost: 5_000 }, withFee)).settled.cost).toBe(5_000);
    }
    expect((await settled({ usage: tokens(1, 0) }, withFee)).settled.cost).toBe(1_700);
  });

  it('charges the bound for usage that is no number', async () => {
    const { settled: done, bound, spent } = await settled({ usage: tokens(0.5, Number.NaN) });
    expect(done.cost).toBe(bound);
    expect(spent.held).toBe(0);
  });

  it('records a cost above the bound in full', async () => {
    const { settled: done, bound, spent } = await settled({ usage: tokens(100, 1_000_000) });
    expect(done.cost).toBeGreaterThan(bound);
    expect(spent.spent).toBe(done.cost);
  });
});

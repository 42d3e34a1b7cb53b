import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  budget,
  deployment,
  type ExchangeParts,
  gateway,
  planned,
  price,
  principal,
  principalSource,
  rateLimit,
  simpleLedger,
  snapshot,
} from '../../test/builders.ts';
import { GatewayError } from '../core/errors.ts';
import { costOf } from '../core/price.ts';
import { noUsage } from '../core/usage.ts';
import { admit } from './admit.ts';
import { boundOf, largestFitting } from './limits/estimate.ts';

async function refusal(run: () => unknown): Promise<GatewayError> {
  const cause = await Promise.try(run).then(
    () => null,
    (error: unknown) => error,
  );
  if (cause instanceof GatewayError) return cause;
  throw new Error(`not refused: ${String(cause)}`);
}

const capped = (cap: number, more = {}) => principal({ budgets: [budget({ cap, ...more })] });

describe('the bound', () => {
  it('is bytes in and the maximum out at the dearest reachable rates, cache writes included', () => {
    const cheap = deployment({ price: price(1, 1) });
    const dear = deployment({ price: price(2, 10, { cacheWrite: 3e9 }) });
    const exchange = planned({ snapshot: snapshot({ deployments: [cheap, dear] }), facts: { maxOutputTokens: 100 } });
    const input = exchange.bytes.length + 64;
    expect(boundOf(exchange, null).amount).toBe(input * 3_000 + 100 * 10_000);
  });

  it('takes the model’s maximum where the caller names none or more, and every choice', () => {
    const of = (facts: ExchangeParts['facts'], more = {}) =>
      boundOf(
        planned({
          snapshot: snapshot({ deployments: [deployment({ price: price(0, 1), ...more })] }),
          facts: facts ?? {},
        }),
        null,
      ).amount;
    expect(of({})).toBe(4_000_000);
    expect(of({ maxOutputTokens: 1e15 })).toBe(4_000_000);
    expect(of({ maxOutputTokens: 10, choices: 3 })).toBe(30_000);
    expect(of({}, { limits: { inputTokensMax: null, outputTokensMax: null } })).toBe(131_072_000);
    expect(of({ maxOutputTokens: 10 }, { extraBody: { max_tokens: 500 } })).toBe(500_000);
    expect(of({}, { defaults: { max_tokens: 50 } })).toBe(50_000);
  });

  it('takes the model’s maximum where the operator keeps every maximum from the provider', () => {
    const kept = deployment({ price: price(0, 1), additionalDropParams: ['max_tokens'] });
    const usual = Array.from({ length: 9 }, () => deployment({ price: price(0, 1) }));
    for (const deployments of [[kept], [...usual, kept]]) {
      const exchange = planned({ snapshot: snapshot({ deployments }), facts: { maxOutputTokens: 10 } });
      expect(boundOf(exchange, null).amount).toBe(4_000_000);
      expect(boundOf(exchange, 5).amount).toBe(4_000_000);
    }
  });

  it('of many deployments is the highest of them all, also where most are alike', () => {
    const figure = fc.constantFrom(0, 1, 7);
    const tokens = fc.constantFrom(null, 50, 900);
    const anyDeployment = fc.record({ input: figure, output: figure, most: tokens, defaultMax: tokens, n: tokens });
    fc.assert(
      fc.property(fc.array(anyDeployment, { minLength: 1, maxLength: 40 }), (given) => {
        const reachable = given.map(({ input, output, most, defaultMax, n }) =>
          deployment({
            price: input + output === 0 ? null : price(input, output),
            limits: { inputTokensMax: null, outputTokensMax: most },
            defaults: defaultMax === null ? {} : { max_tokens: defaultMax },
            extraBody: n === null ? {} : { n },
          }),
        );
        const exchange = planned({ snapshot: snapshot({ deployments: reachable }), reachable });
        const together = boundOf(exchange, null);
        const alone = reachable.map((one) => boundOf(exchange, null, undefined, [one]));
        expect(together.amount).toBe(Math.max(...alone.map(({ amount }) => amount)));
        expect(together.free).toBe(alone.every(({ free }) => free));
        expect(together.unpriced).toBe(alone.find(({ unpriced }) => unpriced !== null)?.unpriced ?? null);
        expect(boundOf(exchange, null)).toEqual(together);
      }),
    );
  });

  it('is never below what the request can really cost', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 200 });
    fc.assert(
      fc.property(texts, fc.nat(3_000), fc.nat(100), fc.nat(100), (text, output, discount, margin) => {
        const provider = {
          priceDiscounts: { acme: discount / 100 },
          priceMargins: { global: { ratio: margin / 100, fixed: 7 } },
        };
        const one = deployment({ price: price(1.5, 6, { cacheWrite: 1.9e9, reasoning: 7e9 }) });
        const config = snapshot({ deployments: [one], settings: provider });
        const exchange = planned({ snapshot: config, body: { m: text }, facts: { maxOutputTokens: output } });
        const tokens = Buffer.byteLength(text.normalize('NFKC'));
        const usage = { ...noUsage, cacheWriteTokens: tokens, reasoningTokens: output };
        const listed = costOf(usage, one.price!);
        const net = listed - Math.floor(listed * (discount / 100));
        const cost = listed === 0 ? 0 : net + Math.ceil(net * (margin / 100)) + 7;
        expect(boundOf(exchange, null).amount).toBeGreaterThanOrEqual(cost);
      }),
    );
  });

  it('counts characters that grow when a tokenizer normalises them, escaped or not', () => {
    const text = '\ufdfa'.repeat(1_000);
    const exchange = planned({
      snapshot: snapshot({ deployments: [deployment({ price: price(1, 0) })] }),
      body: { m: text },
    });
    const grown = Buffer.byteLength(text.normalize('NFKC')) * 1_000;
    expect(boundOf(exchange, null).amount).toBeGreaterThan(grown);
    const escaped = Buffer.from(`{"m":"${'\\ufdfa'.repeat(1_000)}"}`);
    expect(boundOf({ ...exchange, body: exchange.body, bytes: escaped }, null).amount).toBeGreaterThan(grown);
  });

  it('takes the context size where bytes do not bound the input', () => {
    const exchange = planned({
      snapshot: snapshot({ deployments: [deployment({ price: price(1, 0) })] }),
      facts: { needs: { vision: true } },
    });
    expect(boundOf(exchange, null).amount).toBe(100_000_000);
  });

  it('saturates instead of overflowing', () => {
    const huge = deployment({ price: price(1, 600), limits: { inputTokensMax: null, outputTokensMax: null } });
    const exchange = planned({ snapshot: snapshot({ deployments: [huge] }), facts: { maxOutputTokens: 1e15 } });
    expect(boundOf(exchange, null).amount).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('finds the largest maximum that fits, and none below 256', () => {
    const exchange = planned({ snapshot: snapshot({ deployments: [deployment({ price: price(1, 1) })] }) });
    const input = (exchange.bytes.length + 64) * 1_000;
    expect(largestFitting(exchange, input + 700_999)).toEqual({ outputTokens: 700, amount: input + 700_000 });
    expect(largestFitting(exchange, input + 255_999)).toBeNull();
    expect(largestFitting(exchange, input + 99_000_000)?.outputTokens).toBe(4_000);
  });
});

describe('admit: budgets', () => {
  it('holds the bound on every account of the chain, or on none', async () => {
    const ledger = simpleLedger();
    const rules = [budget({ cap: 1e9 }), budget({ scope: 'team', id: 't', cap: 1 })];
    const error = await refusal(() =>
      admit(gateway({ ledger }), planned({ principal: principal({ budgets: rules }) })),
    );
    expect(error).toMatchObject({ status: 429, type: 'budget_exceeded' });
    expect(error.message).toMatch(/^Budget has been exceeded! Team=t Current cost: 0\.0, Max budget: 0\.000000001\./);
    expect(ledger.balance(rules[0]!).held).toBe(0);
    const fine = await admit(gateway({ ledger }), planned({ principal: principal({ budgets: [rules[0]!] }) }));
    expect(ledger.balance(rules[0]!).held).toBe(fine.bound);
  });

  it.each([
    ['key', {}, /^Budget has been exceeded! Current cost: 0\.0, Max budget: 0\.0\./],
    ['tag', {}, /^Budget has been exceeded! Tag=x Current cost: 0\.0/],
    ['organization', {}, /^Budget has been exceeded! Organization=x Current cost/],
    ['team_member', {}, /^Budget has been exceeded! Team member=x Current cost/],
    ['user', {}, /^ExceededBudget: User=x over budget\. Spend=0\.0, Budget=0\.0\./],
    ['end_user', {}, /^ExceededBudget: End User=x over budget\. Spend=0\.0, Budget=0\.0\./],
    ['key', { model: 'm' }, /^LiteLLM Virtual Key: x, key_alias: alias, exceeded budget for model=m\./],
  ] as const)('tells an exhausted %s budget in its own words', async (scope, more, words) => {
    const error = await refusal(() => admit(gateway(), planned({ principal: capped(0, { scope, id: 'x', ...more }) })));
    expect(error.message).toMatch(words);
  });

  it('takes model budgets only for their model', async () => {
    await admit(gateway(), planned({ principal: capped(0, { model: 'other' }) }));
    expect((await refusal(() => admit(gateway(), planned({ principal: capped(0, { model: '*' }) })))).code).toBe(
      'budget_exceeded',
    );
  });

  it('asks end user, tags and the global budget too', async () => {
    const exhausted = [budget({ scope: 'end_user', id: 'u', cap: 0 })];
    const principals = principalSource({
      endUser: async () => ({ blocked: false, budgets: exhausted, rateLimits: [] }),
    });
    expect((await refusal(() => admit(gateway({ principals }), planned({ endUserId: 'u' })))).message).toContain(
      'End User=u',
    );
    const tags = principalSource({
      tag: () => ({ budgets: [budget({ scope: 'tag', id: 'x', cap: 0 })], rateLimits: [] }),
    });
    expect((await refusal(() => admit(gateway({ principals: tags }), planned({ tags: ['x'] })))).message).toContain(
      'Tag=x',
    );
    const config = snapshot({ settings: { globalBudget: budget({ scope: 'global', id: 'proxy', cap: 0 }) } });
    expect((await refusal(() => admit(gateway(), planned({ snapshot: config })))).code).toBe('budget_exceeded');
  });

  it('counts the master key’s spend but never refuses it', async () => {
    const ledger = simpleLedger();
    const rule = budget({ scope: 'global', id: 'proxy', cap: 0 });
    const config = snapshot({ settings: { globalBudget: rule } });
    const admitted = await admit(
      gateway({ ledger }),
      planned({ snapshot: config, principal: principal({ kind: 'master' }) }),
    );
    expect(ledger.balance(rule).held).toBe(admitted.bound);
    expect(admitted.bound).toBeGreaterThan(0);
  });

  it('skips budgets where nothing can cost anything', async () => {
    const free = snapshot({ deployments: [deployment({ price: price(0, 0) })] });
    expect((await admit(gateway(), planned({ snapshot: free, principal: capped(0) }))).bound).toBe(0);
  });

  it('refuses what has no price or no bound under a hard budget, and says what to set', async () => {
    const unpriced = snapshot({ deployments: [deployment({ price: null })] });
    const error = await refusal(() => admit(gateway(), planned({ snapshot: unpriced, principal: capped(1e9) })));
    expect(error.code).toBe('budget_unpriceable');
    expect(error.message).toContain('model=m (upstream-model) has no price. Set `input_cost_per_token`');
    const boundless = snapshot({
      deployments: [deployment({ limits: { inputTokensMax: null, outputTokensMax: 10 } })],
    });
    const media = planned({ snapshot: boundless, principal: capped(1e9), facts: { inputUnbounded: true } });
    expect((await refusal(() => admit(gateway(), media))).message).toContain('Set `max_input_tokens`');
    expect((await admit(gateway(), planned({ snapshot: unpriced }))).bound).toBe(0);
  });

  it('lowers the maximum instead of refusing where the operator says so', async () => {
    const config = snapshot({
      deployments: [deployment({ price: price(0, 1) })],
      settings: { clampOutputTokens: true },
    });
    const admitted = await admit(gateway(), planned({ snapshot: config, principal: capped(1_000_000) }));
    expect(admitted).toMatchObject({ clampedOutputTokens: 1_000, bound: 1_000_000 });
    expect(
      (await refusal(() => admit(gateway(), planned({ snapshot: config, principal: capped(255_000) })))).code,
    ).toBe('budget_exceeded');
  });

  it('answers with the status the operator chose and says when to come back', async () => {
    const config = snapshot({ settings: { budgetErrorStatus: 400 } });
    expect((await refusal(() => admit(gateway(), planned({ snapshot: config, principal: capped(0) })))).status).toBe(
      400,
    );
    const ledger = simpleLedger();
    const cap = boundOf(planned(), null).amount;
    await admit(gateway({ ledger }), planned({ id: 'first', principal: capped(cap) }));
    const waiting = await refusal(() => admit(gateway({ ledger }), planned({ id: 'second', principal: capped(cap) })));
    expect(waiting.details.retryAfterSeconds).toBe(1);
    expect(waiting.message).toContain('Requests in flight hold');
  });
});

describe('admit: rate limits', () => {
  const limited = (...rateLimits: ReturnType<typeof rateLimit>[]) => principal({ rateLimits });

  it('refuses with the limit, the figures and the reset', async () => {
    const ours = gateway();
    const asking = limited(rateLimit({ limit: 1 }));
    await admit(ours, planned({ principal: asking }));
    const error = await refusal(() => admit(ours, planned({ principal: asking })));
    expect(error).toMatchObject({ status: 429, details: { headers: { rate_limit_type: 'requests' } } });
    expect(error.message).toMatch(
      /^Rate limit exceeded for api_key: key-hash\. Limit type: requests\. Current limit: 1, Remaining: 0\. Limit resets at: 2026-/,
    );
    expect(error.details.retryAfterSeconds).toBeGreaterThanOrEqual(60);
    expect(error.details.retryAfterSeconds).toBeLessThanOrEqual(61);
  });

  it('names per-model and parallel limits', async () => {
    const ours = gateway();
    const error = await refusal(() =>
      admit(ours, planned({ principal: limited(rateLimit({ limit: 0, model: 'm' })) })),
    );
    expect(error.message).toContain('for model_per_key: key-hash:m.');
    const slots = await refusal(() =>
      admit(ours, planned({ principal: limited(rateLimit({ limit: 0, metric: 'parallel', scope: 'team', id: 't' })) })),
    );
    expect(slots.message).toContain('for team: t. Limit type: max_parallel_requests.');
  });

  it('reserves an estimate of tokens, never more than the limit', async () => {
    const ours = gateway();
    const rule = rateLimit({ metric: 'tokens', limit: 2_000 });
    const first = await admit(ours, planned({ principal: limited(rule) }));
    expect(first.rateReservation?.remaining[0]).toBeLessThan(1_000);
    expect((await refusal(() => admit(ours, planned({ principal: limited(rule) })))).message).toContain(
      'Limit type: tokens',
    );
    const small = limited(rateLimit({ id: 'small', metric: 'tokens', limit: 50 }));
    expect((await admit(ours, planned({ principal: small }))).rateReservation?.remaining).toEqual([0]);
  });

  it('gives the claim back when a budget refuses, so that one key cannot use up its team’s rate', async () => {
    const ours = gateway();
    const shared = rateLimit({ scope: 'team', id: 't', limit: 1 });
    const broke = principal({ rateLimits: [shared], budgets: [budget({ cap: 0 })] });
    for (let index = 0; index < 5; index++) {
      expect((await refusal(() => admit(ours, planned({ principal: broke })))).code).toBe('budget_exceeded');
    }
    await admit(ours, planned({ principal: limited(shared) }));
  });
});

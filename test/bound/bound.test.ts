import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { costOf } from '../../src/core/price.ts';
import { noUsage } from '../../src/core/usage.ts';
import { dialects } from '../../src/dialects/index.ts';
import { boundOf } from '../../src/gateway/limits/estimate.ts';
import { inputBytesOf } from '../../src/gateway/limits/input-bound.ts';
import { deployment, options, planned, price, snapshot } from '../builders.ts';
import { trial } from './trial.ts';

const count = 3_000;

/** CPU milliseconds of the quickest of some runs: others share this machine. */
function cpuMs(work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 30; run++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

function prompt(text: string) {
  return planned({ body: { model: 'm', messages: [{ role: 'user', content: text }] }, facts: { maxOutputTokens: 0 } });
}

describe('the bound of a request', () => {
  it(`is never below the invoice, for ${count} random requests`, () => {
    const kinds = { held: 0, unbounded: 0, refused: 0 };
    for (let seed = 1; seed <= count; seed++) kinds[trial(seed).kind] += 1;
    expect(kinds.held).toBeGreaterThan(count * 0.8);
  });

  it('counts what a fallback entry brings along', () => {
    const body: JsonObject = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] };
    const dialect = dialects.get('openai-chat')!;
    const boundWith = (overrides: JsonObject) => {
      const parts = planned({ body, options: { ...options, fallbacks: [{ model: 'spare', overrides }] } });
      return boundOf({ ...parts, body, dialect, facts: dialect.inspect(body) }, null).amount;
    };
    const image = { type: 'image_url', image_url: { url: 'https://images.example/a.png' } };
    const plain = boundWith({});
    expect(plain).toBeLessThan(1_000_000);
    // The whole context of 100,000 tokens at 1 dollar a million.
    expect(boundWith({ messages: [{ role: 'user', content: [image] }] })).toBeGreaterThanOrEqual(100_000_000);
    // The model's own maximum of 4,000 at 2 dollars a million.
    expect(boundWith({ max_tokens: null }) - plain).toBeGreaterThanOrEqual(3_990 * 2_000);
    expect(() => boundWith({ messages: 5 })).toThrow('messages');
  });

  it('counts what the operator adds to a request', () => {
    const amountAt = (more: Parameters<typeof deployment>[0]) =>
      boundOf(planned({ snapshot: snapshot({ deployments: [deployment({ price: price(1, 0), ...more })] }) }), null)
        .amount;
    const added = { tools: [{ type: 'function', function: { name: 'f', description: 'x'.repeat(5_000) } }] };
    expect(amountAt({ extraBody: added }) - amountAt({})).toBeGreaterThan(6_000_000);
    expect(amountAt({ defaults: added }) - amountAt({})).toBeGreaterThan(6_000_000);
  });

  it('counts what the provider chooses where the operator keeps the caller’s choice from it, and makes another', () => {
    const dialect = dialects.get('openai-images')!;
    const body: JsonObject = { model: 'm', prompt: 'A cat', quality: 'low', size: '1024x1024' };
    const imageKinds = { low: 1e13, high: 17e13 };
    const amountAt = (more: Parameters<typeof deployment>[0]) => {
      const one = deployment({ price: { ...price(0, 0), units: { imageKinds } }, ...more });
      const parts = planned({ body, snapshot: snapshot({ deployments: [one] }) });
      return boundOf({ ...parts, body, operation: 'image', dialect, facts: dialect.inspect(body) }, null).amount;
    };
    expect(amountAt({})).toBe(10_000_000);
    expect(amountAt({ additionalDropParams: ['quality'] })).toBe(170_000_000);
    expect(amountAt({ extraBody: { quality: 'high' } })).toBe(170_000_000);
    expect(amountAt({ defaults: { quality: 'high' } })).toBe(10_000_000);
  });

  it.each([
    ['ASCII', 'The quick brown fox jumps over the lazy dog. '],
    ['accents', 'Déjà vu, naïve façade – „quoted“ text… '],
    ['Chinese', '漢字かな交じり文の例です。'],
    ['emoji', '👩‍👩‍👧‍👦🦊 '],
  ])('costs no more than a millisecond of CPU for 100 KiB of %s', (_, sample) => {
    const exchange = prompt(sample.repeat(Math.ceil(102_400 / Buffer.byteLength(sample))));
    expect(cpuMs(() => inputBytesOf(exchange))).toBeLessThan(1);
  });

  it('is no more than eight times the cost of plain English', () => {
    const text = 'Budgets are promises: what was held must never be less than what is billed in the end. '.repeat(100);
    const one = deployment({ price: price(1, 0) });
    const exchange = planned({
      snapshot: snapshot({ deployments: [one] }),
      body: { messages: [{ role: 'user', content: text }] },
    });
    const cost = costOf({ ...noUsage, inputTokens: Math.ceil(text.length / 5) }, one.price!);
    expect(boundOf(exchange, null).amount).toBeLessThan(8 * cost);
  });
});

import { describe, expect, it } from 'vitest';
import { priceAt } from '../core/off-peak.ts';
import { type CostLine, costLines, costOf, isFree, type Price, upperBoundOf } from '../core/price.ts';
import { noUsage } from '../core/usage.ts';
import { renderDiagnostics } from './diagnostic.ts';
import { Findings } from './findings.ts';
import { Origins } from './origin.ts';
import { readPriceSettings } from './price-settings.ts';
import { priceFromSettings } from './prices.ts';
import { priceAtAddress } from './regional-price.ts';
import { parsePriceKey, perMillionKey } from './schema/price-keys.ts';

function read(params: object, info: object = {}) {
  const findings = new Findings('f', {}, new Origins());
  const settings = readPriceSettings(params, info, ['p'], ['i'], findings);
  return { settings, messages: renderDiagnostics(findings.list) };
}

function price(params: object, known: Price | null = null, outputIsFree = false): Price | null {
  return priceFromSettings(read(params).settings!, known, outputIsFree);
}

function sumOf(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { tokens, rate }) => sum + (tokens * rate) / 1e6, 0);
}

const known: Price = {
  rates: { input: 1, output: 2, cacheRead: 3 },
  tiers: [],
  serviceTiers: {},
  perRequest: 0,
  perWebSearchCall: 5,
  source: 'catalogue:x',
};

describe('price keys', () => {
  it.each([
    ['input_cost_per_token', { base: 'input_cost_per_token', isPerMillion: false }],
    ['input_cost_per_million_tokens', { base: 'input_cost_per_token', isPerMillion: true }],
    ['output_cost_per_million_reasoning_tokens', { base: 'output_cost_per_reasoning_token', isPerMillion: true }],
    ['cache_read_input_token_cost_per_million', { base: 'cache_read_input_token_cost', isPerMillion: true }],
    [
      'input_cost_per_token_above_200k_tokens',
      { base: 'input_cost_per_token', isPerMillion: false, aboveTokens: 200_000 },
    ],
    [
      'output_cost_per_token_above_128k_tokens_priority',
      { base: 'output_cost_per_token', isPerMillion: false, aboveTokens: 128_000, serviceTier: 'priority' },
    ],
    ['input_cost_per_token_batches', { base: 'input_cost_per_token', isPerMillion: false, serviceTier: 'batches' }],
    ['input_cost', undefined],
    ['max_tokens', undefined],
  ])('%s', (name, parts) => expect(parsePriceKey(name)).toEqual(parts));

  it('spells per million', () => {
    expect(perMillionKey('output_cost_per_token')).toBe('output_cost_per_million_tokens');
    expect(perMillionKey('input_cost_per_audio_token')).toBe('input_cost_per_million_audio_tokens');
  });
});

describe('a written price', () => {
  it('is the same per token and per million, exactly', () => {
    const perToken = price({ input_cost_per_token: 1.5e-7, output_cost_per_token: '6e-7' });
    const perMillion = price({ input_cost_per_million_tokens: 0.15, output_cost_per_million_tokens: 0.6 });
    expect(perToken?.rates).toEqual({ input: 150_000_000, output: 600_000_000 });
    expect(perMillion).toEqual(perToken);
  });

  it('prices the worked example', () => {
    const written = price({
      input_cost_per_token: 3e-6,
      output_cost_per_token: 15e-6,
      cache_read_input_token_cost: 0.3e-6,
      cache_creation_input_token_cost: 3.75e-6,
    });
    const usage = { ...noUsage, inputTokens: 100, cacheReadTokens: 600, cacheWriteTokens: 300, outputTokens: 50 };
    expect(costOf(usage, written!)).toBe(2_355_000);
  });

  it('tiers keep base figures they do not replace', () => {
    const written = price({
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6,
      input_cost_per_token_above_200k_tokens: 3e-6,
      input_cost_per_token_flex: 5e-7,
      output_cost_per_token_batches: 1e-6,
    });
    const above = { input: 3e9, output: 2e9 };
    expect(written?.tiers).toEqual([
      { aboveInputTokens: 200_000, rates: above, serviceTiers: { flex: above, batch: above } },
    ]);
    expect(written?.serviceTiers).toEqual({ flex: { input: 5e8, output: 2e9 }, batch: { input: 1e9, output: 1e9 } });
  });

  it('stands alone with both sides, otherwise replaces single figures of what is known', () => {
    expect(price({ input_cost_per_token: 0, output_cost_per_token: 0 }, known)?.rates).toEqual({ input: 0, output: 0 });
    expect(price({ cache_read_input_token_cost: 1e-9 }, known)?.rates).toEqual({ input: 1, output: 2, cacheRead: 1e6 });
    expect(price({}, known)).toBe(known);
    expect(price({ input_cost_per_token: 1e-6 })).toBeNull();
    expect(price({ input_cost_per_token: 1e-6 }, null, true)?.rates).toEqual({ input: 1e9, output: 0 });
  });

  it('follows from the price of the hardware', () => {
    const written = price({ gpu_cost_per_hour: 2.01, tokens_per_second: 30_000 });
    // 2.01 / 3600 / 30,000 dollars a token, rounded up to whole nano-dollars per million.
    expect(written).toMatchObject({ rates: { input: 18_611_112, output: 18_611_112 }, source: 'gpu' });
    expect(costOf({ ...noUsage, outputTokens: 30_000 * 3600 }, written!)).toBeCloseTo(2.01e9, -4);
  });

  it('multiplies what is answered fast, or in a region', () => {
    const written = price({
      input_cost_per_token: 5e-6,
      output_cost_per_token: 25e-6,
      input_cost_per_token_above_200k_tokens: 10e-6,
      provider_specific_entry: { us: 1.1, fast: 6, labels: ['hot'] },
    })!;
    const usage = { ...noUsage, inputTokens: 100, outputTokens: 10 };
    expect(costOf(usage, written)).toBe(750_000);
    expect(costOf({ ...usage, serviceTier: 'default', region: 'us' }, written)).toBe(825_000);
    expect(costOf({ ...usage, serviceTier: 'default', region: 'eu' }, written)).toBe(750_000);
    expect(costOf({ ...usage, serviceTier: 'fast' }, written)).toBe(4_500_000);
    const dearest = { ...usage, inputTokens: 200_001, serviceTier: 'fast', region: 'us' };
    expect(costOf(dearest, written)).toBe(200_001 * 66_000 + 10 * 165_000);
    expect(sumOf(costLines(dearest, written))).toBe(costOf(dearest, written));
    // Whoever does not ask for it is not held to six times the price.
    expect(upperBoundOf(written, 200_001, 10, 0, undefined, true)).toBe(costOf(dearest, written));
    expect(upperBoundOf(written, 100, 10, 0, undefined, false)).toBe(825_000);
    // What is known of a model keeps its factors under a single figure of the operator's.
    expect(price({ cache_read_input_token_cost: 1e-9 }, written)?.multipliers).toEqual({ us: 1_100, fast: 6_000 });
    expect(price({ input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }, written)?.multipliers).toBeUndefined();
  });

  it.each([
    ['https://eu.api.openai.com/v1', 1_100],
    ['https://us.api.openai.com/v1', 1_050],
    ['https://api.openai.com/v1', 1_000],
    ['https://europe-west1-aiplatform.googleapis.com', 1_200],
    ['https://aiplatform.eu.rep.googleapis.com', 1_200],
    ['https://aiplatform.googleapis.com', 1_000],
  ])('is higher at the address of a region (%s)', (apiBase, thousandths) => {
    const written = price({
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6,
      input_cost_per_token_above_200k_tokens: 2e-6,
      input_cost_per_token_flex: 5e-7,
      regional_processing_uplift_multiplier_eu: 1.1,
      regional_processing_uplift_multiplier_us: '1.05',
      regional_endpoint_uplift_multiplier: 1.2,
    });
    const there = priceAtAddress(written, apiBase)!;
    const usage = { ...noUsage, inputTokens: 1_000, outputTokens: 1_000 };
    expect(costOf(usage, there)).toBe(3_000 * thousandths);
    expect(costOf({ ...usage, serviceTier: 'flex' }, there)).toBe(2_500 * thousandths);
    expect(costOf({ ...usage, inputTokens: 200_001, outputTokens: 0 }, there)).toBe(400_002 * thousandths);
    expect(there.regionalUplifts).toBeUndefined();
  });

  it('has one for fast answers where they are the priority ones by a new name', () => {
    const written = price({
      input_cost_per_token: 1e-6,
      output_cost_per_token: 0,
      input_cost_per_token_priority: 2e-6,
    })!;
    expect(costOf({ ...noUsage, inputTokens: 10, serviceTier: 'fast' }, written)).toBe(20_000);
    expect(costOf({ ...noUsage, inputTokens: 10, serviceTier: 'priority' }, written)).toBe(20_000);
  });

  it('prefers litellm_params to model_info', () => {
    const { settings } = read({ input_cost_per_token: 1e-6 }, { input_cost_per_token: 9, output_cost_per_token: 2e-6 });
    expect(settings).toBeUndefined();
    const both = read({ input_cost_per_token: 1e-6 }, { input_cost_per_token: 5e-6, output_cost_per_token: 2e-6 });
    expect(priceFromSettings(both.settings!, null, false)?.rates).toEqual({ input: 1e9, output: 2e9 });
  });

  it.each([
    [
      { input_cost_per_token: -1 },
      'skipped: f p.input_cost_per_token: found -1; deployment skipped; expected US dollars from 0 to 9,000,000',
    ],
    [
      { output_cost_per_token: 15 },
      'skipped: f p.output_cost_per_token: found 15; deployment skipped; expected at most 1 dollar for one token (is this a price per million tokens?)',
    ],
    [
      { gpu_cost_per_hour: 2 },
      'skipped: f p.gpu_cost_per_hour: found 2; deployment skipped; expected `tokens_per_second` above 0 beside `gpu_cost_per_hour`',
    ],
    [
      { regional_endpoint_uplift_multiplier: -1 },
      'skipped: f p.regional_endpoint_uplift_multiplier: found -1; deployment skipped; expected a factor from 0.001 to 1000, such as 1.1',
    ],
  ])('refuses %j', (params, message) => {
    expect(read(params)).toEqual({ settings: undefined, messages: [message] });
  });
});

describe('prices by ranges of input', () => {
  const ranges = (...list: object[]) => ({ tiered_pricing: list });
  const low = { range: [0, 1_000], input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 };
  const high = { range: [1_000, 2_000], input_cost_per_token: '3e-6', output_cost_per_million_tokens: 4 };

  it('stand alone, per token and per million', () => {
    const both = price({ ...ranges(low, high), input_cost_per_token: 9e-6, cache_read_input_token_cost: 8e-6 }, known);
    expect(both?.rates).toEqual({ input: 1e9, output: 2e9 });
    expect(both?.tiers).toEqual([{ aboveInputTokens: 1_000, rates: { input: 3e9, output: 4e9 } }]);
    expect(both).toMatchObject({ source: 'config', perWebSearchCall: 5 });
  });

  it('are bounded by the dearest range in reach', () => {
    const falling = price(ranges({ ...low, input_cost_per_token: 7e-6 }, high))!;
    expect(upperBoundOf(falling, 1_000, 10)).toBe(7_000_000 + 20_000);
    expect(upperBoundOf(falling, 1_001, 10)).toBe(7_007_000 + 40_000);
  });

  it('without an output price are a price only where one stands beside them', () => {
    const { output_cost_per_token: _, ...noOutput } = low;
    expect(price(ranges(noOutput))).toBeNull();
    expect(price(ranges(noOutput), null, true)?.rates).toEqual({ input: 1e9, output: 0 });
    expect(price({ ...ranges(noOutput), output_cost_per_token: 5e-6 })?.rates).toEqual({ input: 1e9, output: 5e9 });
  });

  it.each([
    ['no list', { tiered_pricing: { range: [0, 1] } }, 'a list of ranges with prices'],
    ['a gap', ranges(low, { ...high, range: [1_500, 2_000] }), 'a range from 1000 on'],
    ['an overlap', ranges(low, { ...high, range: [500, 2_000] }), 'a range from 1000 on'],
    ['a range that ends before it begins', ranges({ ...low, range: [0, 0] }), 'a range from 0 on'],
    ['a range without an input price', ranges({ range: [0, 1] }), '`input_cost_per_token` in every range'],
    ['a price per million as one per token', ranges({ ...low, output_cost_per_token: 2 }), 'US dollars for one token'],
    ['a price that is none', ranges({ ...low, output_cost_per_token: 'much' }), 'US dollars for one token'],
  ])('%s is refused', (_, params, message) => {
    const { settings, messages } = read(params);
    expect(settings).toBeUndefined();
    expect(messages.join()).toContain(message);
  });

  it('by anything but input tokens are without effect', () => {
    expect(price({ ...ranges({ max_results_range: [0, 10], input_cost_per_query: 1 }) }, known)).toBe(known);
  });
});

describe('prices by the hour', () => {
  const usual = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 };
  const offPeak = (block: object) => ({ ...usual, off_peak_pricing: block });
  const at = (time: string) => Date.parse(`2026-11-25T${time}Z`);

  it('are those of the time of admission; the bound holds at any hour', () => {
    const night = price(
      offPeak({ hours_utc: '22:00-06:00', input_cost_per_token: '5e-7', output_cost_per_token: 9e-6 }),
    )!;
    expect(priceAt(night, at('22:00:00')).rates).toEqual({ input: 5e8, output: 9e9 });
    expect(priceAt(night, at('05:59:59.999'))).toBe(priceAt(night, at('22:00:00')));
    expect(priceAt(night, at('06:00:00'))).toBe(night);
    expect(upperBoundOf(night, 10, 10)).toBe(10_000 + 90_000);
  });

  it('make a price that is else free one that is not', () => {
    const free = { input_cost_per_token: 0, output_cost_per_token: 0 };
    const block = { hours_utc: '22:00-06:00', output_cost_per_token: 1e-6 };
    expect(isFree(price({ ...free, off_peak_pricing: block })!)).toBe(false);
  });

  it('replace figures of the catalogue, and leave the price of hardware alone', () => {
    const block = { hours_utc: '00:00-00:00', input_cost_per_token: 1e-6 };
    expect(priceAt(price({ off_peak_pricing: block }, known)!, 0).rates).toEqual({
      input: 1e9,
      output: 2,
      cacheRead: 3,
    });
    const hardware = { gpu_cost_per_hour: 1, tokens_per_second: 1 };
    expect(price({ ...hardware, off_peak_pricing: block })).not.toHaveProperty('offPeak');
  });

  // 25 November 2026 is a Wednesday.
  it.each([
    ['2026-11-25T00:30Z', true],
    ['2026-11-25T01:00Z', false],
    ['2026-11-25T23:59Z', true],
    ['2026-11-28T12:00Z', true],
    ['2026-11-29T23:59Z', true],
    ['2026-11-30T12:00Z', false],
  ])('by weekday: %s is cheap: %s', (time, isCheap) => {
    const windows = [
      { hours_utc: ['00:00-01:00', '22:00-00:00'], weekdays: [1, 2, 'Wednesday', 'thu', 'FRI'] },
      { hours_utc: '00:00-00:00', weekdays: [6, 7] },
    ];
    const made = price(offPeak({ windows, input_cost_per_token: 5e-7 }))!;
    expect(priceAt(made, Date.parse(time)) !== made).toBe(isCheap);
  });

  it('by the weekdays of a zone, in hours of UTC, beside hours of every day', () => {
    const block = {
      hours_utc: '03:00-04:00',
      windows: [{ hours_utc: '16:00-17:00', weekdays: [6] }],
      weekday_timezone: 'Asia/Shanghai',
      input_cost_per_token: 5e-7,
    };
    const made = price(offPeak(block))!;
    const cheap = (time: string) => priceAt(made, Date.parse(time)) !== made;
    expect([cheap('2026-11-27T16:30Z'), cheap('2026-11-28T16:30Z'), cheap('2026-11-25T03:30Z')]).toEqual([
      true,
      false,
      true,
    ]);
  });

  // Christmas 2026 is a Friday, the 27th a Sunday on which work is made up.
  it.each([
    ['2026-12-25T12:00Z', true],
    ['2026-12-24T12:00Z', false],
    ['2026-12-27T05:00Z', true],
    ['2026-12-27T12:00Z', false],
    ['2026-12-20T12:00Z', true],
  ])('of single days, on which no other rule counts: %s is cheap: %s', (time, isCheap) => {
    const windows = [
      { hours_utc: '00:00-00:00', weekdays: ['sat', 'sun'] },
      { hours_utc: '00:00-00:00', override_dates: ['2026-12-25'] },
      { hours_utc: '04:00-06:00', override_dates: ['2026-12-27'] },
    ];
    const made = price(offPeak({ windows, input_cost_per_token: 5e-7 }))!;
    expect(priceAt(made, Date.parse(time)) !== made).toBe(isCheap);
  });

  it('of single days in the calendar of the zone', () => {
    const windows = [{ hours_utc: '00:00-00:00', override_dates: ['2026-01-01'] }];
    const made = price(offPeak({ windows, weekday_timezone: 'Asia/Shanghai', input_cost_per_token: 5e-7 }))!;
    const cheap = (time: string) => priceAt(made, Date.parse(time)) !== made;
    expect([cheap('2025-12-31T15:59Z'), cheap('2025-12-31T16:00Z'), cheap('2026-01-01T16:00Z')]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('that depend on something unknown are told of and without effect', () => {
    const windows = [{ hours_utc: '00:00-00:00', moon: 'full' }];
    const { settings, messages } = read(offPeak({ windows, input_cost_per_token: 5e-7 }));
    expect(settings?.offPeak).toBeNull();
    expect(messages.join()).toContain('the usual prices hold all day');
  });

  it.each([
    ['no map', '16:30-00:30', 'a map with `hours_utc`'],
    ['no hours', { input_cost_per_token: 1e-7 }, 'hours of the day'],
    ['hours that are none', { hours_utc: '25:00-26:00' }, 'hours of the day'],
    ['no rule', { windows: [] }, 'a list of rules'],
    ['a day that is none', { windows: [{ hours_utc: '01:00-02:00', weekdays: [0] }] }, '1 (Monday) to 7'],
    [
      'a date that is none',
      { windows: [{ hours_utc: '01:00-02:00', override_dates: ['2026-02-30'] }] },
      'a list of dates',
    ],
    [
      'a date that is no list',
      { windows: [{ hours_utc: '01:00-02:00', override_dates: '2026-02-03' }] },
      'a list of dates',
    ],
    ['a zone that is none', { hours_utc: '01:00-02:00', weekday_timezone: 'Moon' }, 'a time zone such as'],
    ['a price that is none', { hours_utc: '01:00-02:00', input_cost_per_token: true }, 'US dollars for one token'],
  ])('%s is refused', (_, block, message) => {
    const { settings, messages } = read({ ...usual, off_peak_pricing: block });
    expect(settings).toBeUndefined();
    expect(messages.join()).toContain(message);
  });
});

import { describe, expect, it } from 'vitest';
import { bundledCatalogue, layered } from './catalogue.ts';
import { renderDiagnostics } from './diagnostic.ts';
import { readPriceFile } from './price-file.ts';

const date = Date.UTC(2026, 10, 1);

describe('the bundled catalogue', () => {
  const catalogue = bundledCatalogue(date);

  it('gives whole nano-dollars per million tokens, context and longest answer', () => {
    expect(catalogue.find(['openai'], 'gpt-4o-mini')).toMatchObject({
      price: { rates: { input: 150_000_000, output: 600_000_000, cacheRead: 75_000_000 }, source: 'catalogue:openai' },
      inputTokensMax: 128_000,
      outputTokensMax: 16_384,
    });
  });

  it('gives cache writes and tiers by length of the input', () => {
    expect(catalogue.find(['anthropic'], 'claude-sonnet-4-5')?.price).toMatchObject({
      rates: { input: 3e9, output: 15e9, cacheRead: 3e8, cacheWrite: 3.75e9, cacheWriteLong: 6e9 },
      tiers: [{ aboveInputTokens: 200_000, rates: { input: 6e9, output: 22.5e9, cacheWrite: 7.5e9 } }],
      perWebSearchCall: 10_000_000,
    });
  });

  it('knows embeddings, whose answers cost nothing', () => {
    expect(catalogue.find(['openai'], 'text-embedding-3-small')?.price?.rates).toEqual({
      input: 20_000_000,
      output: 0,
    });
  });

  it('takes the dearest hours where the price depends on the hour', () => {
    expect(catalogue.find(['deepseek'], 'deepseek-chat')?.price?.rates.output).toBe(1_100_000_000);
    expect(bundledCatalogue(date + 20 * 3_600_000).find(['deepseek'], 'deepseek-chat')?.price?.rates.output).toBe(
      1_100_000_000,
    );
  });

  it('tries the provider’s names in order, and a dated name without its date', () => {
    expect(catalogue.find(['nobody', 'openai'], 'gpt-4o-mini')?.price?.source).toBe('catalogue:openai');
    expect(catalogue.find(['openai'], 'gpt-4o-mini-2031-01-01')?.price?.rates.input).toBe(150_000_000);
    expect(catalogue.find(['openai'], 'no-such-model')).toBeUndefined();
    expect(catalogue.find([], 'gpt-4o-mini')).toBeUndefined();
  });

  it('has no token price for models paid by the hour', () => {
    expect(catalogue.find(['openai'], 'whisper-1')?.price).toBeNull();
  });
});

describe('a price file in LiteLLM’s format', () => {
  const text = JSON.stringify({
    sample_spec: { input_cost_per_token: 'documentation' },
    'gpt-4o-mini': {
      litellm_provider: 'openai',
      mode: 'chat',
      max_input_tokens: 1000,
      max_tokens: 50,
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6,
      supports_vision: true,
    },
    'acme/small': { mode: 'embedding', max_tokens: 512, input_cost_per_token: 1e-7 },
    broken: { input_cost_per_token: -1 },
  });

  it('is used before the bundled prices', () => {
    const { catalogue, diagnostics } = readPriceFile(text, 'prices.json');
    expect(renderDiagnostics(diagnostics)).toEqual([
      'skipped: prices.json broken.input_cost_per_token: found -1; deployment skipped; expected US dollars from 0 to 9,000,000',
    ]);
    const both = layered(catalogue!, bundledCatalogue(date));
    expect(both.find(['openai'], 'gpt-4o-mini')).toMatchObject({
      price: { rates: { input: 1e9, output: 2e9 }, source: 'file:gpt-4o-mini' },
      inputTokensMax: 1000,
      outputTokensMax: 50,
      capabilities: { vision: true },
    });
    expect(both.find(['acme'], 'small')).toMatchObject({
      price: { rates: { input: 1e8, output: 0 } },
      inputTokensMax: 512,
    });
    expect(both.find(['openai'], 'gpt-4o')?.price?.source).toBe('catalogue:openai');
  });

  it.each([
    ['{', 'prices.json the price file is not JSON'],
    ['[]', 'prices.json the price file holds a list; expected a map of model names'],
    ['{}', 'prices.json the price file holds no valid model'],
  ])('refuses %j', (content, message) => {
    const { catalogue, diagnostics } = readPriceFile(content, 'prices.json');
    expect(catalogue).toBeUndefined();
    expect(renderDiagnostics(diagnostics)).toEqual([`error: ${message}`]);
  });
});

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { providerDirectory } from '../providers/index.ts';
import { bundledCatalogue } from './catalogue.ts';
import { isRefused } from './diagnostic.ts';
import { loadConfigText } from './load.ts';
import { readPriceFile } from './price-file.ts';
import { buildSnapshot } from './snapshot.ts';

const catalogue = bundledCatalogue(Date.UTC(2026, 10, 1));
const sources = ['reference.yaml', 'broken.yaml', 'wide.yaml'].map((name) =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8'),
);

const odd = [
  '[',
  '{',
  ':',
  '\t',
  '- ',
  '*',
  '&a ',
  '<<: ',
  '-1',
  '1e999',
  'null',
  "'",
  '"',
  '\n',
  '{}',
  '[]',
  '~',
  '!!js',
  '\u0000',
  'NaN',
];

/** A text with a few pieces cut out, doubled or replaced by what upsets parsers. */
const mutated = (text: string) =>
  fc
    .array(
      fc.record({
        at: fc.nat(text.length),
        length: fc.nat(12),
        put: fc.oneof(fc.constantFrom(...odd), fc.string({ maxLength: 6 })),
      }),
      { minLength: 1, maxLength: 5 },
    )
    .map((edits) => edits.reduce((now, { at, length, put }) => now.slice(0, at) + put + now.slice(at + length), text));

it('500 mutated configurations: refused with a reason, or built; nothing is thrown', () => {
  fc.assert(
    fc.property(fc.oneof(...sources.map(mutated)), (text) => {
      const { config, diagnostics } = loadConfigText(text, 'config.yaml', { OPENAI_API_KEY: 'sk-provider' });
      expect(config === undefined).toBe(isRefused(diagnostics));
      if (config === undefined) return;
      const { snapshot } = buildSnapshot({
        config,
        directory: providerDirectory,
        catalogue,
        masterKey: null,
        version: 1,
      });
      for (const deployment of snapshot.deployments.values()) {
        for (const rate of Object.values(deployment.price?.rates ?? {})) {
          expect(Number.isSafeInteger(rate) && rate >= 0).toBe(true);
        }
      }
      expect(JSON.stringify(diagnostics)).not.toContain('sk-provider');
    }),
    { numRuns: 500, seed: 20261122 },
  );
});

it('300 mutated price files: refused with a reason, or read; nothing is thrown', () => {
  const text = JSON.stringify({ a: { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 }, b: { max_tokens: 5 } });
  fc.assert(
    fc.property(mutated(text), (broken) => {
      const { catalogue: read, diagnostics } = readPriceFile(broken, 'prices.json');
      expect(read === undefined).toBe(isRefused(diagnostics));
    }),
    { numRuns: 300, seed: 20261122 },
  );
});

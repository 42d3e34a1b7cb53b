import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { features } from './features.ts';
import { observe } from './observe.ts';
import { callerDialects, providerDialects, supportPage } from './page.ts';
import { reasons } from './reasons.ts';

describe('what works with what', () => {
  it('sees the formats of callers and providers', () => {
    expect(callerDialects.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['openai-chat', 'openai-responses', 'anthropic-messages']),
    );
    expect(providerDialects.length).toBeGreaterThanOrEqual(3);
  });

  it('loses nothing silently, between any two formats', () => {
    const lost = features.flatMap((feature) =>
      callerDialects.flatMap((caller) =>
        providerDialects
          .filter((provider) => observe(feature, caller, provider) === 'lost')
          .map((provider) => `${feature.name}: ${caller.name} → ${provider.name}`),
      ),
    );
    expect(lost).toEqual([]);
  });

  it('says why of everything that a provider’s format cannot say', () => {
    const refused = providerDialects.flatMap((provider) =>
      features
        .filter((feature) => callerDialects.some((caller) => observe(feature, caller, provider) === 'refused'))
        .map(({ name }) => `${provider.name}: ${name}`),
    );
    const explained = Object.entries(reasons).flatMap(([dialect, list]) =>
      list.flatMap(({ rows }) => rows.map((row) => `${dialect}: ${row}`)),
    );
    expect(explained.sort()).toEqual(refused.sort());
  });

  it('stands in docs/support.md; `npm run docs` writes it anew', () => {
    const page = readFileSync(new URL('../../docs/support.md', import.meta.url), 'utf8');
    expect(page).toBe(supportPage());
  });
});

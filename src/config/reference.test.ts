import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inactiveKeys, type KeyTable } from './inactive.ts';
import { configReference } from './reference.ts';
import { cacheParams } from './schema/cache-params.ts';
import { generalSettings } from './schema/general-settings.ts';
import { litellmSettings } from './schema/litellm-settings.ts';
import { modelParams } from './schema/model-params.ts';
import { routerSettings } from './schema/router-settings.ts';
import { topLevelKeys } from './schema/sections.ts';

it('docs/reference/config.md is what the schemas say (npm run docs)', () => {
  const page = readFileSync(new URL('../../docs/reference/config.md', import.meta.url), 'utf8');
  expect(page).toBe(configReference());
});

it('every inactive key is a known key', () => {
  const known: Record<KeyTable, readonly string[]> = {
    sections: topLevelKeys,
    router_settings: Object.keys(routerSettings.shape),
    litellm_settings: Object.keys(litellmSettings.shape),
    'litellm_settings.cache_params': Object.keys(cacheParams.shape),
    general_settings: Object.keys(generalSettings.shape),
    model_params: Object.keys(modelParams.shape),
  };
  for (const [section, keys] of Object.entries(inactiveKeys)) {
    expect(keys.filter((key) => !known[section as KeyTable].includes(key))).toEqual([]);
  }
});

import { expect, it } from 'vitest';
import { openSqliteStore } from '../adapters/sql/sqlite.ts';
import { Secret } from '../core/secret.ts';
import { createVault } from './encryption.ts';
import { loadStoredConfig } from './stored-models.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

it('takes from the store only what the operator wants from there', async () => {
  const store = await openSqliteStore({ file: ':memory:' });
  const vault = createVault(new Secret('salt'));
  const now = { createdAt: 0, updatedAt: 0, createdBy: null, updatedBy: null, extra: {} };
  await store.models.insert({
    ...now,
    id: 'm-1',
    modelName: 'm',
    params: { model: 'openai/up' },
    modelInfo: {},
    blocked: false,
  } as never);
  const paths = [{ path: '/bria', target: 'https://bria.example' }];
  const value = { pass_through_endpoints: paths, max_request_size_mb: 5 };
  await store.settings.insert({ ...now, id: 'general_settings', value } as never);
  const load = async (kinds?: string[]) => {
    const { models, settings } = await loadStoredConfig(store, vault, {}, silent, kinds);
    return [models.length, settings.general_settings];
  };
  expect(await load()).toEqual([1, value]);
  expect(await load(['models'])).toEqual([1, { max_request_size_mb: 5 }]);
  expect(await load(['pass_through_endpoints', 'prompts'])).toEqual([0, value]);
  await store.close();
});

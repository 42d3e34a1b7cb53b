import { expect, test } from 'vitest';
import { controlSettings } from './control-settings.ts';
import { loadConfigText } from './load.ts';

const settingsOf = (text: string, environment = {}) =>
  controlSettings(loadConfigText(text, 'config.yaml', environment).config!);

test('what is not written has its default', () => {
  expect(settingsOf('model_list: []')).toEqual({
    storeModelsInDatabase: false,
    healthDetails: true,
    healthChecks: { enabled: false, intervalMs: 300_000, concurrency: null },
    recordsArchive: null,
    requestsAllowedWithoutStore: false,
    successCallbacks: [],
    metricsNeedKey: false,
    keyDefaults: null,
    keyBounds: null,
    teamDefaults: null,
    userDefaults: null,
    keyMaking: { rules: null, plainAliases: false, needsTeam: false },
    recordsKeptMs: null,
    recordsSweptMs: null,
  });
});

test('callbacks may stand in three places, and models in the database be asked for by the environment', () => {
  const text = `
litellm_settings: { success_callback: [langfuse], callbacks: [otel, langfuse], require_auth_for_metrics_endpoint: true }
general_settings:
  success_callback: [helicone]
  maximum_spend_logs_retention_period: 2d
  maximum_spend_logs_retention_interval: 1h
  allow_requests_on_db_unavailable: true
  health_check_details: false
`;
  expect(settingsOf(text, { STORE_MODEL_IN_DB: 'True' })).toEqual({
    storeModelsInDatabase: true,
    healthDetails: false,
    healthChecks: { enabled: false, intervalMs: 300_000, concurrency: null },
    recordsArchive: null,
    requestsAllowedWithoutStore: true,
    successCallbacks: ['langfuse', 'otel', 'helicone'],
    metricsNeedKey: true,
    keyDefaults: null,
    keyBounds: null,
    teamDefaults: null,
    userDefaults: null,
    keyMaking: { rules: null, plainAliases: false, needsTeam: false },
    recordsKeptMs: 172_800_000,
    recordsSweptMs: 3_600_000,
  });
});

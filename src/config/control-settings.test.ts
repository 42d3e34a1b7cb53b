import { expect, test } from 'vitest';
import { controlSettings } from './control-settings.ts';
import { loadConfigText } from './load.ts';

const settingsOf = (text: string, environment = {}) =>
  controlSettings(loadConfigText(text, 'config.yaml', environment).config!);

test('what is not written has its default', () => {
  expect(settingsOf('model_list: []')).toEqual({
    storeModelsInDatabase: false,
    healthDetails: true,
    healthChecks: { enabled: false, intervalMs: 300_000, concurrency: null, isShared: false },
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
    recordsSchedule: null,
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
    healthChecks: { enabled: false, intervalMs: 300_000, concurrency: null, isShared: false },
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
    recordsSchedule: null,
  });
});

test('rows that nobody wants go after an hour, whatever else is said of them; else by the schedule', () => {
  const said =
    'spend_logs_archive_folder: a, maximum_spend_logs_retention_period: 2d, maximum_spend_logs_cleanup_cron: 0 2 * * *';
  expect(settingsOf(`general_settings: { ${said} }`)).toMatchObject({
    recordsKeptMs: 2 * 86_400_000,
    recordsArchive: 'a',
    recordsSchedule: { hours: new Set([2]), minutes: new Set([0]) },
  });
  expect(settingsOf(`general_settings: { ${said}, disable_spend_logs: true }`)).toMatchObject({
    recordsKeptMs: 3_600_000,
    recordsArchive: null,
    recordsSchedule: null,
  });
});

import { describe, expect, it } from 'vitest';
import { loadConfigText } from './load.ts';
import { readStartSettings } from './start-settings.ts';

describe('start settings', () => {
  it('come from the environment without a file', () => {
    const settings = readStartSettings(null, {
      DATABASE_HOST: 'db:5432',
      DATABASE_USERNAME: 'me',
      DATABASE_PASSWORD: 'p@ss',
      DATABASE_NAME: 'tollgate',
      PORT: '8080',
      STORE_MODEL_IN_DB: 'True',
      LITELLM_LOG: 'DEBUG',
      SERVER_ROOT_PATH: '/gateway/',
    });
    expect(settings.databaseUrl?.reveal()).toBe('postgresql://me:p%40ss@db:5432/tollgate');
    expect(settings).toMatchObject({ port: 8080, modelsInDatabase: true, logLevel: 'debug', rootPath: '/gateway' });
    expect(String(settings.databaseUrl)).toBe('[redacted]');
  });

  it('the file wins, its variables included', () => {
    const text = `environment_variables: { DATABASE_URL: postgresql://from-file/db }
general_settings: { master_key: sk-file, data_folder: /srv/tollgate, store_model_in_db: false }`;
    const { config } = loadConfigText(text, 'config.yaml', {});
    const settings = readStartSettings(config!, { DATABASE_URL: 'postgresql://outside/db', STORE_MODEL_IN_DB: 'true' });
    expect(settings.databaseUrl?.reveal()).toBe('postgresql://from-file/db');
    expect(settings.masterKey?.reveal()).toBe('sk-file');
    expect(settings).toMatchObject({ dataFolder: '/srv/tollgate', modelsInDatabase: false, port: null });
  });

  it('empty variables are no settings', () => {
    const settings = readStartSettings(null, { DATABASE_URL: '', PORT: '', LITELLM_SALT_KEY: ' ' });
    expect(settings).toMatchObject({ databaseUrl: null, port: null, saltKey: null, dataFolder: './data' });
  });
});

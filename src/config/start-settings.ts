import type { AlertSettings } from '../core/alert-settings.ts';
import { Secret } from '../core/secret.ts';
import { alertSettings } from './alert-settings.ts';
import type { Environment } from './environment.ts';
import type { Config } from './load.ts';

/** What the program needs before there is a snapshot; read once at start. */
export interface StartSettings {
  /** As the file gives it; `findMasterKey` looks further. */
  readonly masterKey: Secret | null;
  /** PostgreSQL address; null = the embedded database. */
  readonly databaseUrl: Secret | null;
  /** Connections to it in all; null = its address or the default says. */
  readonly databaseConnectionsMax: number | null;
  /** Longest wait for a connection to it; null = its address or the default says. */
  readonly databaseConnectMs: number | null;
  /** How long what is known of a key may be used without looking again. */
  readonly keyCacheMs: number;
  readonly dataFolder: string;
  readonly modelsInDatabase: boolean;
  /** Encrypts stored credentials; null = the master key does. */
  readonly saltKey: Secret | null;
  readonly port: number | null;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | null;
  /** Prefix of every path, e.g. `/gateway`; empty for none. */
  readonly rootPath: string;
  /** Where callers reach the gateway, for links. */
  readonly publicUrl: string | null;
  readonly priceFile: string | null;
  readonly alerts: AlertSettings;
}

/** The file to load when the command line names none. */
export function configFileFromEnvironment(environment: Environment): string | null {
  return present(environment.CONFIG_FILE_PATH);
}

/** The file's own words win over the environment; `config` is null when there is no file. */
export function readStartSettings(config: Config | null, given: Environment): StartSettings {
  const environment = config?.environment ?? given;
  const general = config?.sections.general_settings ?? {};
  const port = Number(present(environment.PORT) ?? Number.NaN);
  return {
    masterKey: general.master_key ?? null,
    databaseUrl: general.database_url ?? secret(environment.DATABASE_URL) ?? databaseUrlFromParts(environment),
    databaseConnectionsMax: general.database_connection_pool_limit ?? null,
    databaseConnectMs: seconds(general.database_connection_timeout),
    keyCacheMs: seconds(general.user_api_key_cache_ttl) ?? 60_000,
    dataFolder: general.data_folder ?? present(environment.TOLLGATE_DATA_FOLDER) ?? './data',
    modelsInDatabase: general.store_model_in_db ?? /^true$/i.test(environment.STORE_MODEL_IN_DB ?? ''),
    saltKey: secret(environment.LITELLM_SALT_KEY),
    port: Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : null,
    logLevel: logLevel(environment.LITELLM_LOG) ?? verbosity(config),
    rootPath: (present(environment.SERVER_ROOT_PATH) ?? '').replace(/\/+$/, ''),
    publicUrl: present(environment.PROXY_BASE_URL),
    priceFile: general.price_catalogue_file ?? null,
    alerts: alertSettings(config, given),
  };
}

/** `DATABASE_HOST`, `DATABASE_USERNAME` … as one address. */
function databaseUrlFromParts(environment: Environment): Secret | null {
  const host = present(environment.DATABASE_HOST);
  const name = present(environment.DATABASE_NAME);
  if (host === null || name === null) return null;
  const user = encodeURIComponent(environment.DATABASE_USERNAME ?? '');
  const password = encodeURIComponent(environment.DATABASE_PASSWORD ?? '');
  const schema = present(environment.DATABASE_SCHEMA);
  const who = user === '' ? '' : password === '' ? `${user}@` : `${user}:${password}@`;
  const query = schema === null ? '' : `?schema=${encodeURIComponent(schema)}`;
  return new Secret(`postgresql://${who}${host}/${encodeURIComponent(name)}${query}`);
}

function seconds(written: number | undefined): number | null {
  return written === undefined ? null : Math.round(written * 1_000);
}

/** `set_verbose` and `debug_level`, where the environment says nothing. */
function verbosity(config: Config | null): StartSettings['logLevel'] {
  const { litellm_settings: litellm = {}, router_settings: router = {} } = config?.sections ?? {};
  if (litellm.set_verbose || router.set_verbose || router.debug_level === 'DEBUG') return 'debug';
  return router.debug_level === 'INFO' ? 'info' : null;
}

function logLevel(written: string | undefined): StartSettings['logLevel'] {
  const level = written?.toLowerCase();
  if (level === 'warning') return 'warn';
  return level === 'debug' || level === 'info' || level === 'warn' || level === 'error' ? level : null;
}

function present(value: string | undefined): string | null {
  return value === undefined || value.trim() === '' ? null : value.trim();
}

function secret(value: string | undefined): Secret | null {
  const written = present(value);
  return written === null ? null : new Secret(written);
}

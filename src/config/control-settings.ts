import type { CronSchedule } from '../core/cron.ts';
import { lifetimeEnd } from '../core/duration.ts';
import type { JsonObject } from '../core/json.ts';
import type { Config } from './load.ts';

/** What the control plane reads from the configuration; asked anew at every use, so that a reload counts at once. */
export interface WrittenControlSettings {
  readonly storeModelsInDatabase: boolean;
  readonly healthDetails: boolean;
  readonly requestsAllowedWithoutStore: boolean;
  /** Names in the order they are written, each once. */
  readonly successCallbacks: readonly string[];
  readonly metricsNeedKey: boolean;
  readonly keyDefaults: JsonObject | null;
  readonly keyBounds: JsonObject | null;
  readonly teamDefaults: JsonObject | null;
  readonly userDefaults: JsonObject | null;
  readonly keyMaking: KeyMaking;
  readonly healthChecks: HealthCheckWords;
  /** Milliseconds that rows of requests are kept; null = for ever. */
  readonly recordsKeptMs: number | null;
  /** Where they are written before they are removed; null = nowhere. */
  readonly recordsArchive: string | null;
  /** Milliseconds between two removals of old rows; null = the default. */
  readonly recordsSweptMs: number | null;
  /** When they are removed; null = at every such interval. */
  readonly recordsSchedule: CronSchedule | null;
}

/** Who may make keys, and what they must say. */
export interface KeyMaking {
  /** `key_generation_settings` as written. */
  readonly rules: JsonObject | null;
  readonly plainAliases: boolean;
  /** No keys outside of teams. */
  readonly needsTeam: boolean;
}

export interface HealthCheckWords {
  readonly enabled: boolean;
  readonly intervalMs: number;
  readonly concurrency: number | null;
  /** One replica checks for all. */
  readonly isShared: boolean;
}

const healthCheckSecondsDefault = 300;

export function controlSettings({ sections, environment }: Config): WrittenControlSettings {
  const { general_settings: general = {}, litellm_settings: litellm = {} } = sections;
  const callbacks = [litellm.success_callback, litellm.callbacks, general.success_callback];
  return {
    storeModelsInDatabase: general.store_model_in_db ?? /^true$/i.test(environment.STORE_MODEL_IN_DB ?? ''),
    healthDetails: general.health_check_details ?? true,
    requestsAllowedWithoutStore: general.allow_requests_on_db_unavailable ?? false,
    successCallbacks: [...new Set(callbacks.flatMap((names) => names ?? []))],
    metricsNeedKey: litellm.require_auth_for_metrics_endpoint ?? false,
    keyDefaults: (litellm.default_key_generate_params ?? null) as JsonObject | null,
    keyBounds: (litellm.upperbound_key_generate_params ?? null) as JsonObject | null,
    teamDefaults: (litellm.default_team_params ?? null) as JsonObject | null,
    userDefaults: (litellm.default_internal_user_params ?? null) as JsonObject | null,
    keyMaking: {
      rules: (litellm.key_generation_settings ?? null) as JsonObject | null,
      plainAliases: litellm.enable_key_alias_format_validation ?? false,
      needsTeam: general.default_team_disabled ?? false,
    },
    healthChecks: {
      enabled: general.background_health_checks ?? false,
      intervalMs: (general.health_check_interval ?? healthCheckSecondsDefault) * 1_000,
      concurrency: general.health_check_concurrency ?? null,
      isShared: general.use_shared_health_check ?? false,
    },
    ...recordKeeping(general),
  };
}

/** Rows nobody wants are kept as long as a journal may tell of their requests a second time. */
const unwantedRecordsKeptMs = 3_600_000;

type RecordKeeping = Pick<
  WrittenControlSettings,
  'recordsKeptMs' | 'recordsArchive' | 'recordsSweptMs' | 'recordsSchedule'
>;

function recordKeeping(general: NonNullable<Config['sections']['general_settings']>): RecordKeeping {
  const sweptMs = lifetimeEnd(general.maximum_spend_logs_retention_interval, 0);
  if (general.disable_spend_logs) {
    return {
      recordsKeptMs: unwantedRecordsKeptMs,
      recordsArchive: null,
      recordsSweptMs: sweptMs,
      recordsSchedule: null,
    };
  }
  return {
    recordsKeptMs: lifetimeEnd(general.maximum_spend_logs_retention_period, 0),
    recordsArchive: general.spend_logs_archive_folder ?? null,
    recordsSweptMs: sweptMs,
    recordsSchedule: general.maximum_spend_logs_cleanup_cron ?? null,
  };
}

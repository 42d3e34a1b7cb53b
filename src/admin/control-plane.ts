import type { Diagnostic } from '../config/diagnostic.ts';
import type { StoredSettings } from '../config/stored-settings.ts';
import type { DebugWish } from '../core/debug-wish.ts';
import type { Principal } from '../core/identity.ts';
import type { JsonObject } from '../core/json.ts';
import type { Chance, Clock, Ledger, Log, PrincipalSource, ResponseCache } from '../core/ports.ts';
import type { Deployment, Snapshot } from '../core/route.ts';
import type { Store } from '../core/store.ts';
import type { Suspension } from '../core/suspension.ts';
import type { Vault } from './encryption.ts';
import type { HealthChecks } from './health-checks.ts';
import type { FreePath } from './openapi.ts';

/** Everything the control plane needs from outside, handed in once by the composition root. */
export interface ControlPlane {
  readonly store: Store;
  readonly ledger: Pick<Ledger, 'balance' | 'flush' | 'reread'>;
  readonly principals: Pick<PrincipalSource, 'invalidate' | 'find' | 'tag'>;
  readonly cache: ResponseCache;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  readonly vault: Vault;
  readonly version: string;
  snapshot(): Snapshot;
  /** Whether every list on the principal's chain allows this model, as the data path decides it. */
  mayUse(principal: Principal, names: ModelNames): boolean;
  /** How a deployment is doing, as the data path has seen it. */
  condition(deployment: Deployment): DeploymentCondition;
  /** Deployments that serve nobody with a hard budget, and why. */
  readonly suspended: { get(deploymentId: string): Suspension | null; reload(): Promise<void> };
  /** A balancer asks whether requests should come here; false while the gateway is stopping. */
  isReady(): boolean;
  /** Requests being answered now. */
  inFlight(): number;
  /** Sends a real request of a few tokens. Never rejects. */
  probe(deployment: Deployment): Promise<ProbeResult>;
  /** The same for one that is written like this and kept nowhere. */
  probeEntry(entry: JsonObject): Promise<ProbeResult>;
  readonly healthChecks: Pick<HealthChecks, 'enabled' | 'isShared' | 'latest' | 'history' | 'check'>;
  /** Why a deployment written like this could not be used, or null; `entry` is shaped like one of `model_list`. */
  modelFault(entry: JsonObject): string | null;
  /** A request as a provider would get it, credentials left out; nothing is sent. Rejects as the request would be refused. */
  preview(principal: Principal, path: string, body: JsonObject): Promise<RequestPreview>;
  /** Reads the configuration and its price files again; false when they are refused and the old ones stay. */
  reloadConfig(): boolean;
  /** Builds a new snapshot from the files and the stored models and swaps it in. Rejects with a GatewayError otherwise. */
  reloadModels(): Promise<void>;
  /** What is found wrong in the configuration when these settings are laid over it; an error among them refuses it. */
  checkSettings(settings: StoredSettings): readonly Diagnostic[];
  /** Text in the Prometheus exposition format. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Counts with a real tokenizer, off the event loop and within a deadline. */
  countTokens(text: string, model: string): Promise<TokenCount>;
  /** Whose requests are told in full in the log of this process. */
  readonly debug: { wish(wish: DebugWish): void; list(): readonly DebugWish[] };
  readonly settings: ControlSettings;
  /** Paths of the data plane, all POST, `{model}` where the path names one. */
  readonly dataPaths: readonly string[];
  /** Those of its paths where nothing is bought. */
  readonly freePaths: readonly FreePath[];
}

export interface RequestPreview {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

/** A model as it may stand in allow-lists. */
export interface ModelNames {
  readonly asked: string;
  /** Group it leads to. */
  readonly group: string;
  readonly deployments: readonly Deployment[];
}

export interface ControlSettings {
  readonly storeModelsInDatabase: boolean;
  readonly healthDetails: boolean;
  readonly requestsAllowedWithoutStore: boolean;
  readonly successCallbacks: readonly string[];
  readonly metricsNeedKey: boolean;
  /** As written: values for new keys that do not say, and the most that a new key may have; null = nothing is said. */
  readonly keyDefaults: JsonObject | null;
  readonly keyBounds: JsonObject | null;
  /** Values for new teams and users that do not say. */
  readonly teamDefaults: JsonObject | null;
  readonly userDefaults: JsonObject | null;
  /** Who may make keys, and what they must say. */
  readonly keyMaking: {
    readonly rules: JsonObject | null;
    readonly plainAliases: boolean;
    readonly needsTeam: boolean;
  };
}

export interface DeploymentCondition {
  /** Unix milliseconds; null when it is not cooling down. */
  readonly coolingDownUntil: number | null;
  readonly lastError: {
    readonly at: number;
    readonly status: number;
    readonly message: string;
    /** In words that anybody may read. */
    readonly reason: string;
  } | null;
  readonly lastSuccessAt: number | null;
  readonly inFlight: number;
  readonly requestsThisMinute: number;
  readonly failuresThisMinute: number;
  readonly msPerOutputToken: number | null;
  readonly firstTokenMs: number | null;
}

export interface ProbeResult {
  readonly healthy: boolean;
  /** False where nothing could be asked, so that nothing is known. */
  readonly asked: boolean;
  /** What went wrong, safe to show: no credential, no address with a query. */
  readonly error: string | null;
  readonly status: number | null;
  readonly durationMs: number;
  /** Provider rate-limit headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface TokenCount {
  readonly tokens: number;
  /** False when the count is an estimate from the length of the text. */
  readonly exact: boolean;
  readonly tokenizer: string;
}

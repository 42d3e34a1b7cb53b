import type { BatchDeskName, BatchRoom, BatchStore } from './batch-desk.ts';
import type { BodyEdits, ModelTraits } from './dialect.ts';
import type { JsonObject } from './json.ts';
import type { DialectName, Operation } from './operation.ts';
import type { Outside } from './ports.ts';
import type { Secret } from './secret.ts';
import type { UnitRates } from './unit-price.ts';

/**
 * An address that speaks dialects. A provider turns connection settings into an endpoint once, when the configuration
 * is built; a request then only picks a path and writes ready-made headers.
 */
export interface Provider {
  /** The prefix in `provider/model`. */
  readonly id: string;
  /** Other prefixes that mean the same. */
  readonly aliases: readonly string[];
  /** For people and error messages. */
  readonly name: string;
  /** What OpenTelemetry's conventions call it (`gen_ai.provider.name`), where that is not its id. */
  readonly conventionName?: string;
  /** Where its wire format is described. */
  readonly documentation: string;
  /** What else its wire format was compared with, beside that page. */
  readonly checkedAgainst?: string;
  /** What it speaks for each operation, best first: the caller's own dialect is taken when it is among them. */
  readonly dialects: Partial<Record<Operation, readonly DialectName[]>>;
  /** Names under which the price catalogue knows its models, tried in order. */
  readonly catalogueIds: readonly string[];
  /** Environment variable holding the credential when the configuration names none. */
  readonly credentialVariable: string | null;
  /** Others that are looked at after it. */
  readonly otherCredentialVariables: readonly string[];
  /** Variables that its endpoints read: regions, projects, places of files. */
  readonly environmentVariables: readonly string[];
  /** Environment variable holding the base address when the configuration names none. */
  readonly baseUrlVariable: string | null;
  readonly defaultBaseUrl: string | null;
  readonly requiresCredential: boolean;
  /** Whether calls are authorised by other settings than a key, such as those of a service account. */
  authorizesItself(settings: ConnectionSettings): boolean;
  /** How usage in a stream is asked for. */
  readonly usageInStream: 'stream_options' | 'always' | 'never';
  /**
   * Does the provider stop working, and billing, when we hang up? When it does not, an aborted stream is charged its
   * full hold instead of what was seen.
   */
  readonly stopsOnHangup: boolean;
  /** Bare model names that are this provider's without a prefix (`gpt-4o`). */
  /** How the bare names of its models begin. */
  readonly barePrefixes?: readonly string[];
  ownsModel(model: string): boolean;
  /** How it takes many requests at once; absent where it has no batch API. */
  readonly batchDesk?: BatchDeskName;
  /** Whether the address of a session that only transcribes must not name its model: the settings alone do. */
  readonly transcriptsNameNoModel?: boolean;
  /** The part of the usual price that its batch API charges, by the provider's price list. */
  readonly batchPriceRatio?: number;
  traits(model: string): ModelTraits;
  /** List prices of models that are not paid by the token, where the provider's own folder knows them. */
  unitRates?(model: string): UnitRates | undefined;
  /** Throws ProviderSettingsError, naming the key and what would be right. */
  endpoint(settings: ConnectionSettings): ProviderEndpoint;
}

/** Where and as whom; from the deployment's settings, its credential, or the environment. */
export interface ConnectionSettings {
  readonly baseUrl: string | null;
  readonly credential: Secret | null;
  /** Upstream model name without the provider prefix. */
  readonly model: string;
  readonly apiVersion: string | null;
  readonly organization: string | null;
  /** Every other connection key of the deployment (`azure_ad_token`, `aws_region_name` …), as written. */
  readonly extra: JsonObject;
  /** Headers the operator adds to every call. */
  readonly headers: Readonly<Record<string, string>>;
  /** The provider's `environmentVariables`, as far as they are set. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ProviderEndpoint {
  /** `scheme://host:port`: the only place the credential may travel to. */
  readonly origin: string;
  /** Path and query of a call. */
  path(dialect: DialectName, model: string, stream: boolean): string;
  /** Flat list name, value, name, value …, lower-case names, credential included: never logged. */
  readonly headers: readonly string[];
  /** What the provider's way of serving a dialect changes in a body that is otherwise in the dialect's words. */
  readonly edits?: (call: BodyCall) => BodyEdits;
  /** Makes the dialect's own stream out of what the provider frames in another way. Absent where it needs nothing. */
  readonly reframe?: (dialect: DialectName) => StreamFraming | null;
  /**
   * The headers that authorise one call, for what cannot be made once: signatures, tokens that expire. They come on top
   * of `headers`. Throws, or rejects with, an AuthorizationError. Absent where `headers` is enough.
   */
  readonly authorize?: Authorize;
  /** Where its batch API is; absent where it has none, or the settings leave out what it needs. */
  readonly batch?: BatchPlace;
  /** The path that lists models, used by health probes that must not cost anything; null where there is none. */
  readonly modelsPath: string | null;
}

export interface BatchPlace {
  at(room: BatchRoom, tail: string): BatchAddress;
  /** What its batch API calls a model; as in a single call where absent. */
  model?(model: string, dialect: DialectName): string;
  readonly store?: BatchStore;
}

export interface BatchAddress {
  readonly origin: string;
  /** With its query. */
  readonly path: string;
  /** In the place of the endpoint's own. */
  readonly authorize?: Authorize;
}

export interface BodyCall {
  readonly dialect: DialectName;
  readonly model: string;
  readonly stream: boolean;
  readonly body: JsonObject;
  /** The caller's, lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Bytes of one framing in, bytes of another out, for one stream; null for nothing yet. Throws GatewayError. */
export interface StreamFraming {
  push(chunk: Uint8Array): Uint8Array | null;
}

export type Authorize = (call: OutgoingCall, outside: Outside) => readonly string[] | Promise<readonly string[]>;

/** A call as it will go over the wire. */
export interface OutgoingCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly origin: string;
  /** With its query. */
  readonly path: string;
  /** Flat list name, value … lower-case names. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** A call could not be authorised, so nothing was sent. Its message is for callers: no credential, no address. */
export class AuthorizationError extends Error {
  /** False when it is our credentials that were refused, true when nobody could be asked. */
  readonly unreachable: boolean;

  constructor(message: string, unreachable = false) {
    super(message);
    this.name = 'AuthorizationError';
    this.unreachable = unreachable;
  }
}

export class ProviderSettingsError extends Error {
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.name = 'ProviderSettingsError';
    this.key = key;
  }
}

/** The list of providers as the configuration sees it. */
export interface ProviderDirectory {
  byId(id: string): Provider | undefined;
  /** The provider that owns a bare model name, if any. */
  byModel(model: string): Provider | undefined;
  /** Every id and alias, for messages that suggest the nearest. */
  readonly ids: readonly string[];
}

import type { Json, JsonObject } from '../core/json.ts';
import type { BudgetRule } from '../core/limits.ts';
import {
  type ConnectionSettings,
  type Provider,
  type ProviderDirectory,
  type ProviderEndpoint,
  ProviderSettingsError,
} from '../core/provider.ts';
import { Secret } from '../core/secret.ts';
import type { Catalogue } from './catalogue.ts';
import type { ConnectionValues } from './credentials.ts';
import type { DeploymentEntry } from './deployment-entry.ts';
import type { Path } from './diagnostic.ts';
import type { Environment } from './environment.ts';
import { isHeaderValue } from './field.ts';
import type { FindingDetails } from './findings.ts';
import { publicAddress } from './public-params.ts';
import { resolveModel } from './resolve-model.ts';

/** Whose settings are given to a bare name that its maker, too, would answer to. */
function cloudOf({ model, vertex_project: project, vertex_credentials: credentials }: DeploymentEntry['params']) {
  return !model.includes('/') && (project ?? credentials) !== undefined ? 'vertex_ai' : undefined;
}

/** The provider that `use_litellm_proxy` means. */
const anotherGateway = 'litellm_proxy';

export interface DeploymentParts {
  readonly directory: ProviderDirectory;
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  readonly credentials: ReadonlyMap<string, ConnectionValues>;
  readonly timezone: string;
  /** From `provider_budget_config`, by provider. */
  readonly providerBudgets: ReadonlyMap<string, BudgetRule>;
  readonly dropParams: boolean;
  /** `route_all_chat_openai_to_responses`. */
  readonly chatGoesToResponses: boolean;
  /** What every deployment answers in the place of its provider; null = providers are asked. */
  readonly networkMock: string | null;
  readonly unpriced: 'self_hosted_free' | 'refuse' | 'free';
  /** Told why an entry is left out, and of what is odd about one that is not. */
  report(severity: 'skipped' | 'warning' | 'notice', path: Path, message: string, details?: FindingDetails): void;
}

export interface Connection {
  readonly provider: Provider;
  readonly endpoint: ProviderEndpoint;
  /** Upstream model name; may hold stars. */
  readonly model: string;
  /** Address for people. */
  readonly apiBase: string;
  readonly credential: Secret | null;
  /** Why it cannot be used. */
  readonly unusable: string | null;
}

/** Where a deployment is and as whom it is called. Undefined when that cannot be made out; `report` says why. */
export function connect(entry: DeploymentEntry, parts: DeploymentParts): Connection | undefined {
  const { params } = entry;
  const stored = params.litellm_credential_name;
  const connection: ConnectionValues = { ...(stored !== undefined && parts.credentials.get(stored)) };
  const baseUrl = params.api_base ?? params.base_url ?? revealed(connection.api_base ?? connection.base_url) ?? null;
  const named = params.use_litellm_proxy ? anotherGateway : undefined;
  const hints = { provider: named ?? params.custom_llm_provider ?? cloudOf(params), hasAddress: baseUrl !== null };
  const resolved = resolveModel(params.model, hints, parts.directory);
  if (!('provider' in resolved)) {
    const details = resolved.nearest === undefined ? {} : { nearest: resolved.nearest };
    parts.report(
      'skipped',
      [...entry.path, 'model'],
      `${resolved.message}; deployment ${entry.group} skipped`,
      details,
    );
    return undefined;
  }
  const { provider, model } = resolved;
  const address = baseUrl ?? variable(parts.environment, provider.baseUrlVariable);
  const isOwn = isOwnAddress(provider, address);
  const credential = credentialFor(entry, connection, provider, isOwn, parts.environment);
  const settings: ConnectionSettings = {
    baseUrl: address,
    credential,
    model,
    apiVersion: params.api_version ?? revealed(connection.api_version) ?? null,
    organization: params.organization ?? revealed(connection.organization) ?? null,
    extra: extraConnection(entry, connection),
    headers: { ...params.headers, ...params.extra_headers },
    environment: environmentOf(provider, parts.environment),
  };
  let unusable = entry.unusable;
  const needsKey = provider.requiresCredential && !provider.authorizesItself(settings);
  // Nobody is called where the answer stands in the configuration.
  const isMock = params.mock_response !== undefined || parts.networkMock !== null;
  if (unusable === null && credential === null && needsKey && isOwn && !isMock) {
    const otherwise =
      provider.credentialVariable === null ? '' : ` and the variable ${provider.credentialVariable} is not set`;
    unusable = `there is no api_key${otherwise}`;
    parts.report('warning', [...entry.path, 'api_key'], `${unusable}; ${entry.group} cannot be used until there is`);
  }
  if (unusable === null && credential !== null && !isHeaderValue(credential.reveal())) {
    unusable = 'the api_key holds characters that cannot be sent in a header (a line break?)';
    parts.report('warning', [...entry.path, 'api_key'], `${unusable}; ${entry.group} cannot be used`);
  }
  let endpoint: ProviderEndpoint;
  try {
    endpoint = provider.endpoint(settings);
  } catch (error) {
    if (!(error instanceof ProviderSettingsError)) throw error;
    if (entry.unusable === null) {
      parts.report('skipped', [...entry.path, error.key], `${error.message}; deployment ${entry.group} skipped`);
      return undefined;
    }
    endpoint = nowhere;
  }
  return {
    provider,
    model,
    endpoint,
    credential,
    unusable,
    apiBase: publicAddress(address ?? provider.defaultBaseUrl ?? endpoint.origin),
  };
}

const nowhere: ProviderEndpoint = Object.freeze({
  origin: '',
  path: () => '/',
  headers: Object.freeze([]),
  modelsPath: null,
});

/**
 * The credential of the environment belongs to the provider's own address: it is not sent to an address that somebody
 * else runs just because that speaks the same format.
 */
function credentialFor(
  entry: DeploymentEntry,
  connection: ConnectionValues,
  provider: Provider,
  isOwn: boolean,
  environment: Environment,
): Secret | null {
  const written =
    entry.params.azure_ad_token ?? entry.params.api_key ?? connection.azure_ad_token ?? connection.api_key;
  if (written !== undefined) return written;
  if (entry.unusable !== null || !isOwn) return null;
  const inherited = [provider.credentialVariable, ...provider.otherCredentialVariables]
    .map((name) => variable(environment, name))
    .find((value) => value !== null);
  return inherited === undefined ? null : new Secret(inherited);
}

function environmentOf(provider: Provider, environment: Environment): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of provider.environmentVariables) {
    const value = variable(environment, name);
    if (value !== null) found[name] = value;
  }
  return found;
}

function isOwnAddress(provider: Provider, address: string | null): boolean {
  if (address === null || provider.defaultBaseUrl === null) return true;
  return URL.canParse(address) && new URL(address).host === defaultHost(provider.defaultBaseUrl);
}

const defaultHosts = new Map<string, string>();

function defaultHost(address: string): string {
  let host = defaultHosts.get(address);
  if (host === undefined) {
    host = new URL(address).host;
    defaultHosts.set(address, host);
  }
  return host;
}

function variable(environment: Environment, name: string | null): string | null {
  const value = name === null ? undefined : environment[name];
  return value === undefined || value === '' ? null : value;
}

function revealed(value: Secret | undefined): string | undefined {
  return value?.reveal();
}

const extraKey =
  /^(azure_|tenant_id|client_|vertex_|aws_|gcs_|s3_|region_name|model_id$|project_id$|space_id$|account_id$|snowflake_|oci_)/;

function extraConnection(entry: DeploymentEntry, connection: ConnectionValues): JsonObject {
  const extra: JsonObject = {};
  for (const [key, value] of [...Object.entries(connection), ...Object.entries(entry.params)]) {
    if (!extraKey.test(key) || value === undefined) continue;
    extra[key] = value instanceof Secret ? value.reveal() : (value as Json);
  }
  return extra;
}

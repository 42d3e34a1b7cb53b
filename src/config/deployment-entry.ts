import type { JsonObject } from '../core/json.ts';
import { nearest } from '../core/nearest.ts';
import { Secret } from '../core/secret.ts';
import { type Path, withoutEffect } from './diagnostic.ts';
import type { Findings } from './findings.ts';
import { isKnownElsewhere } from './known-elsewhere.ts';
import { type PriceSettings, readPriceSettings } from './price-settings.ts';
import { isSecret, publicParams } from './public-params.ts';
import { isMap } from './read-file.ts';
import { describe, readValue } from './read-value.ts';
import { type ModelInfo, modelInfo } from './schema/model-info.ts';
import { type ModelParams, modelParams } from './schema/model-params.ts';
import { parsePriceKey, priceKeyNames, structuredPriceKeys } from './schema/price-keys.ts';
import { requestParameters } from './schema/request-parameters.ts';
import type { MissingVariable } from './substitute.ts';
import type { Tree } from './yaml-tree.ts';

/** One entry of `model_list`, or one stored model: read and typed, not yet tied to a provider. */
export interface DeploymentEntry {
  readonly group: string;
  readonly params: ModelParams;
  readonly info: ModelInfo;
  readonly prices: PriceSettings;
  /** What is sent with every request unless the request says otherwise. */
  readonly requestDefaults: JsonObject;
  readonly publicParams: JsonObject;
  readonly publicInfo: JsonObject;
  readonly secrets: readonly Secret[];
  /** Why it cannot be used, e.g. an unset variable in its connection. */
  readonly unusable: string | null;
  readonly fromDatabase: boolean;
  readonly path: Path;
}

const connectionKey = /^(api_|base_url|organization|azure_|tenant_id|client_|vertex_|aws_|headers|extra_headers)/;
/** These may also stand beside the parameters, or among what is known of the model. */
const ratesOfEntry: ReadonlySet<string> = new Set(['rpm', 'tpm']);
/** Names that LiteLLM takes, too. */
const otherNames: Readonly<Record<string, string>> = {
  vertex_ai_project: 'vertex_project',
  vertex_ai_location: 'vertex_location',
  vertex_ai_credentials: 'vertex_credentials',
  request_timeout: 'timeout',
};
const knownParams = Object.keys(modelParams.shape);
const knownInfo = Object.keys(modelInfo.shape);
const otherPriceKeys: ReadonlySet<string> = new Set(structuredPriceKeys);

/** Gives undefined for an entry that cannot be used at all; the findings say why. */
export function readDeploymentEntry(
  entry: unknown,
  path: Path,
  missing: readonly MissingVariable[],
  findings: Findings,
  fromDatabase = false,
): DeploymentEntry | undefined {
  if (!isMap(entry)) {
    findings.add('skipped', path, `found ${describe(entry)}; deployment skipped`, {
      expected: 'a map with `model_name` and `litellm_params`',
    });
    return undefined;
  }
  const paramsKey = 'params' in entry && !('litellm_params' in entry) ? 'params' : 'litellm_params';
  for (const key of Object.keys(entry)) {
    if (key === 'model_name' || key === 'model_info' || key === paramsKey || ratesOfEntry.has(key)) continue;
    findings.add('warning', [...path, key], 'unknown key', {
      nearest: nearest(key, ['model_name', 'litellm_params', 'model_info']),
      atKey: true,
    });
  }
  const group = typeof entry.model_name === 'number' ? String(entry.model_name) : entry.model_name;
  if (typeof group !== 'string' || group.trim() === '') {
    const message = group === undefined ? 'missing' : `found ${describe(group)}`;
    findings.add('skipped', [...path, 'model_name'], `${message}; deployment skipped`, { expected: 'a model name' });
    return undefined;
  }
  const rawParams = entry[paramsKey];
  if (!isMap(rawParams)) {
    const message = rawParams === undefined ? 'missing' : `found ${describe(rawParams)}`;
    findings.add('skipped', [...path, paramsKey], `${message}; deployment ${group} skipped`, {
      expected: 'a map with at least `model`',
    });
    return undefined;
  }
  for (const [alias, key] of Object.entries(otherNames)) {
    if (rawParams[alias] === undefined) continue;
    rawParams[key] ??= rawParams[alias];
    delete rawParams[alias];
  }
  const rawInfo = entry.model_info ?? {};
  if (isMap(rawInfo) && rawParams.base_model !== undefined) {
    rawInfo.base_model ??= rawParams.base_model;
    delete rawParams.base_model;
  }
  for (const key of ratesOfEntry) rawParams[key] ??= entry[key] ?? (isMap(rawInfo) ? rawInfo[key] : undefined);
  if (isMap(rawInfo)) reportOddNames(rawParams, [...path, paramsKey], rawInfo, [...path, 'model_info'], findings);
  const params = readValue(modelParams, rawParams, [...path, paramsKey], findings, 'skipped');
  const info = readValue(modelInfo, rawInfo, [...path, 'model_info'], findings, 'skipped');
  const prices = readPriceSettings(rawParams, rawInfo, [...path, paramsKey], [...path, 'model_info'], findings);
  if (params === undefined || info === undefined || prices === undefined) return undefined;

  return {
    group: group.trim(),
    params: withoutAbsent(params),
    info: withoutAbsent(info),
    prices,
    requestDefaults: requestDefaultsOf(rawParams),
    publicParams: publicParams(rawParams),
    publicInfo: publicParams(rawInfo as Tree),
    secrets: collectSecrets(params),
    unusable: unusableBecause(path, paramsKey, missing),
    fromDatabase,
    path: [...path, paramsKey],
  };
}

/** Most keys are absent from most deployments: without them a thousand deployments are small. */
function withoutAbsent<T extends object>(read: T): T {
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined)) as T;
}

function requestDefaultsOf(rawParams: Tree): JsonObject {
  const defaults: JsonObject = {};
  for (const [name, value] of Object.entries(rawParams)) {
    if (value === null || value === undefined || Object.hasOwn(modelParams.shape, name)) continue;
    // What no provider knows, and what nobody but ours may know.
    if (isKnownElsewhere(paramsOfList, name) || isSecret(name, value)) continue;
    if (parsePriceKey(name) !== undefined || otherPriceKeys.has(name)) continue;
    defaults[name] = value as JsonObject[string];
  }
  return defaults;
}

const paramsOfList: Path = ['model_list', 'litellm_params'];
const sentOn = 'unknown key; sent to the provider as a request parameter';

/** Names that are nobody's: in the parameters they are sent to the provider, which a mistyped setting should not be. */
function reportOddNames(rawParams: Tree, paramsPath: Path, rawInfo: Tree, infoPath: Path, findings: Findings): void {
  for (const name of Object.keys(rawParams)) {
    if (Object.hasOwn(modelParams.shape, name) || isPriceKey(name)) continue;
    if (isKnownElsewhere(paramsOfList, name)) {
      findings.add('notice', [...paramsPath, name], withoutEffect, { atKey: true });
      continue;
    }
    if (requestParameters.has(name)) continue;
    const isKept = isSecret(name, rawParams[name]);
    const message = isKept ? 'unknown key; not used, for it reads like a credential' : sentOn;
    findings.add('warning', [...paramsPath, name], message, {
      nearest: nearest(name, [...knownParams, ...priceKeyNames, ...requestParameters]),
      atKey: true,
    });
  }
  for (const name of Object.keys(rawInfo)) {
    if (Object.hasOwn(modelInfo.shape, name) || isPriceKey(name)) continue;
    const close = nearest(name, [...knownInfo, ...priceKeyNames]);
    if (close !== undefined)
      findings.add('warning', [...infoPath, name], 'unknown key', { nearest: close, atKey: true });
  }
}

function isPriceKey(name: string): boolean {
  return parsePriceKey(name) !== undefined || otherPriceKeys.has(name);
}

function collectSecrets(params: ModelParams): Secret[] {
  const found = Object.values(params).filter((value) => value instanceof Secret);
  for (const headers of [params.headers, params.extra_headers]) {
    for (const value of Object.values(headers ?? {})) found.push(new Secret(value));
  }
  return found;
}

function unusableBecause(path: Path, paramsKey: string, missing: readonly MissingVariable[]): string | null {
  const names = missing
    .filter(({ path: at }) => path.every((step, index) => at[index] === step) && at[path.length] === paramsKey)
    .filter(({ path: at }) => connectionKey.test(String(at[path.length + 1])))
    .map(({ name }) => name);
  if (names.length === 0) return null;
  return `the variable${names.length > 1 ? 's' : ''} ${[...new Set(names)].join(', ')} ${names.length > 1 ? 'are' : 'is'} not set`;
}

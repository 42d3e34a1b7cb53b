import { headerMaps, isSecret } from '../config/public-params.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import type { Vault } from './encryption.ts';
import { isSealed } from './encryption.ts';

/**
 * Seals every credential among the parameters of a deployment. A reference to an environment variable is no credential
 * and stays readable; what is sealed already stays as it is.
 */
export function sealParams(params: JsonObject, vault: Vault, rowId: string): JsonObject {
  const seal = sealing(vault, rowId);
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      if (value === undefined || value === null) return [name, value];
      if (headerMaps.has(name) || isSecret(name, value)) return [name, mapTexts(value, seal)];
      return [name, sealedInside(value, vault, rowId)];
    }),
  );
}

function sealedInside(value: Json, vault: Vault, rowId: string): Json {
  if (Array.isArray(value)) return value.map((item) => sealedInside(item, vault, rowId));
  return isJsonObject(value) ? sealParams(value, vault, rowId) : value;
}

/** Seals every text in the tree. */
export function sealAll(values: JsonObject, vault: Vault, rowId: string): JsonObject {
  return mapTexts(values, sealing(vault, rowId)) as JsonObject;
}

/** The clear values, for the configuration, which wraps them as it reads them. */
export function openParams(params: JsonObject, vault: Vault, rowId: string): JsonObject {
  return mapTexts(params, (text) => (isSealed(text) ? vault.open(text, rowId).reveal() : text)) as JsonObject;
}

function sealing(vault: Vault, rowId: string): (text: string) => string {
  return (text) => (isSealed(text) || text.startsWith('os.environ/') ? text : vault.seal(text, rowId));
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTexts(item ?? null, change)]));
}

import { isSecret } from '../config/public-params.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { isSealed, type Vault } from './encryption.ts';

/** One for all rows: a key that is rotated takes its metadata along. */
const place = 'sink';

/**
 * Seals the credentials of the sinks that a key or a team has of its own (`metadata.logging[].callback_vars`). A reference
 * to an environment variable is no credential and stays readable; what is sealed already stays as it is.
 */
export function sealSinks(metadata: JsonObject, vault: Vault): JsonObject {
  const { logging } = metadata;
  if (!Array.isArray(logging)) return metadata;
  return { ...metadata, logging: logging.map((rule) => sealRule(rule, vault)) };
}

function sealRule(rule: Json, vault: Vault): Json {
  if (!isJsonObject(rule) || !isJsonObject(rule.callback_vars)) return rule;
  const vars = Object.entries(rule.callback_vars).map(([name, value]) => {
    const isClear = typeof value === 'string' && !isSealed(value) && !value.startsWith('os.environ/');
    return [name, isClear && isSecret(name, value) ? vault.seal(value, place) : (value ?? null)];
  });
  return { ...rule, callback_vars: Object.fromEntries(vars) as JsonObject };
}

/** The clear text of one variable; null when it cannot be opened any more. */
export function openSinkVariable(text: string, vault: Vault): string | null {
  if (!isSealed(text)) return text;
  try {
    return vault.open(text, place).reveal();
  } catch {
    return null;
  }
}

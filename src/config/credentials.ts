import { Secret } from '../core/secret.ts';
import type { Sections } from './schema/sections.ts';

/** The connection values of a named credential: every one of them is treated as a secret. */
export type ConnectionValues = Readonly<Record<string, Secret | undefined>>;

/** Credentials by name: the file's, then the stored ones (which win: they were set later). */
export function credentialsByName(
  written: Sections['credential_list'],
  stored: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map(),
): ReadonlyMap<string, ConnectionValues> {
  const byName = new Map<string, ConnectionValues>();
  for (const { credential_name, credential_values } of written ?? []) byName.set(credential_name, credential_values);
  for (const [name, values] of stored) {
    byName.set(name, Object.fromEntries(Object.entries(values).map(([key, value]) => [key, new Secret(value)])));
  }
  return byName;
}

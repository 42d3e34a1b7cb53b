import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../core/secret.ts';
import type { Environment } from './environment.ts';

export interface MasterKey {
  readonly key: Secret;
  /** Where people find it: a variable's name, the configuration, or the file it was written to. */
  readonly source: { readonly kind: 'environment' | 'config' | 'file' | 'generated'; readonly place: string };
}

const variables = ['TOLLGATE_MASTER_KEY', 'LITELLM_MASTER_KEY'] as const;

export function masterKeyFile(dataFolder: string): string {
  return join(dataFolder, 'master-key');
}

/** The master key, from the configuration, the environment, or the file an earlier start wrote; undefined when nowhere. */
export function findMasterKey(
  configured: Secret | null,
  environment: Environment,
  dataFolder: string,
): MasterKey | undefined {
  if (configured !== null) {
    return { key: configured, source: { kind: 'config', place: 'general_settings.master_key' } };
  }
  for (const name of variables) {
    const value = environment[name];
    if (value !== undefined && value !== '')
      return { key: new Secret(value), source: { kind: 'environment', place: name } };
  }
  const place = masterKeyFile(dataFolder);
  try {
    const key = readFileSync(place, 'utf8').trim();
    return key === '' ? undefined : { key: new Secret(key), source: { kind: 'file', place } };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** Writes a new master key that only its owner can read. */
export function writeMasterKey(dataFolder: string, token: string): MasterKey {
  mkdirSync(dataFolder, { recursive: true });
  const place = masterKeyFile(dataFolder);
  const text = `sk-${token}`;
  writeFileSync(place, `${text}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(place, 0o600);
  return { key: new Secret(text), source: { kind: 'generated', place } };
}

import type { Json, JsonObject } from '../core/json.ts';
import { isMap } from './read-file.ts';
import type { Tree } from './yaml-tree.ts';

/** Settings changed through the admin API, by section. They are laid over those of the file, key by key. */
export type StoredSettings = Readonly<Record<string, JsonObject>>;

export const storedSections = [
  'general_settings',
  'router_settings',
  'litellm_settings',
  'environment_variables',
] as const;
export type StoredSection = (typeof storedSections)[number];

export function isStoredSection(name: string): name is StoredSection {
  return (storedSections as readonly string[]).includes(name);
}

/** Read once when the program starts, before there is a store to ask. */
const readAtStart: Readonly<Record<StoredSection, readonly string[]>> = {
  general_settings: [
    ...['master_key', 'database_url', 'database_connection_pool_limit', 'data_folder', 'price_catalogue_file'],
    ...['alerting', 'store_model_in_db', 'supported_db_objects'],
  ],
  router_settings: ['redis_host', 'redis_port', 'redis_password', 'redis_username', 'redis_db', 'redis_url'],
  litellm_settings: [],
  environment_variables: [],
};

/** Why a setting cannot be kept in the store, or null. */
export function fixedAtStart(section: StoredSection, key: string): string | null {
  if (!readAtStart[section].includes(key)) return null;
  return `${section}.${key} is read when the program starts: set it in the configuration file or the environment.`;
}

export function layOver(tree: Tree, stored: StoredSettings): void {
  for (const section of storedSections) {
    const values = stored[section];
    if (values === undefined) continue;
    const written = isMap(tree[section]) ? tree[section] : {};
    tree[section] = written;
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined || fixedAtStart(section, key) !== null) continue;
      const laid = structuredClone(value) as Json as Tree[string];
      written[key] = key === 'pass_through_endpoints' ? besideFile(laid, written[key]) : laid;
    }
  }
}

/** Paths opened through the API stand beside the file's; of two for one path the one of the API counts. */
function besideFile(stored: unknown, file: unknown): Tree[string] {
  if (!Array.isArray(stored) || !Array.isArray(file)) return stored as Tree[string];
  const taken = new Set(stored.map((one) => (isMap(one) ? one.path : undefined)));
  return [...stored, ...file.filter((one) => !isMap(one) || !taken.has(one.path))] as Tree[string];
}

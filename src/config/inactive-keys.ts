import { notActiveYet, type Path } from './diagnostic.ts';
import type { Findings } from './findings.ts';
import { isActive, type KeyTable } from './inactive.ts';
import { operationsByMode } from './model-mode.ts';
import { isMap } from './read-file.ts';
import { cacheParams } from './schema/cache-params.ts';
import { generalSettings } from './schema/general-settings.ts';
import { litellmSettings } from './schema/litellm-settings.ts';
import { modelModes } from './schema/model-info.ts';
import { modelParams } from './schema/model-params.ts';
import { routerSettings } from './schema/router-settings.ts';
import { sectionSchemas } from './schema/sections.ts';
import type { Tree } from './yaml-tree.ts';

const inactiveCaches = ['redis-semantic', 'qdrant-semantic', 'azure-blob'];

/** A notice for every known key in use that does nothing yet; a key used by many deployments is told once. */
export function reportInactiveKeys(tree: Tree, findings: Findings): void {
  const told = new Set<string>();
  const check = (table: KeyTable, shape: object, value: unknown, path: Path, name: string) => {
    if (!isMap(value)) return;
    for (const key of Object.keys(value)) {
      const full = name === '' ? key : `${name}.${key}`;
      if (value[key] === null || !Object.hasOwn(shape, key) || isActive(table, key) || told.has(full)) continue;
      told.add(full);
      findings.add('notice', [...path, key], notActiveYet, { atKey: true });
    }
  };
  check('sections', sectionSchemas, tree, [], '');
  check('router_settings', routerSettings.shape, tree.router_settings, ['router_settings'], 'router_settings');
  check('litellm_settings', litellmSettings.shape, tree.litellm_settings, ['litellm_settings'], 'litellm_settings');
  check('general_settings', generalSettings.shape, tree.general_settings, ['general_settings'], 'general_settings');
  const cachePath = ['litellm_settings', 'cache_params'];
  const cache = isMap(tree.litellm_settings) ? tree.litellm_settings.cache_params : undefined;
  check('litellm_settings.cache_params', cacheParams.shape, cache, cachePath, cachePath.join('.'));
  const type = isMap(cache) ? cache.type : undefined;
  if (typeof type === 'string' && inactiveCaches.includes(type)) {
    const instead =
      type === 'redis-semantic' ? 'answers to equal requests are kept in Redis' : 'answers are kept in memory';
    findings.add('notice', [...cachePath, 'type'], `${type}: not active yet, ${instead}`);
  }
  if (!Array.isArray(tree.model_list)) return;
  for (const [index, entry] of tree.model_list.entries()) {
    if (!isMap(entry)) continue;
    const paramsKey = 'params' in entry && !('litellm_params' in entry) ? 'params' : 'litellm_params';
    const path = ['model_list', index];
    const mode = isMap(entry.model_info) ? entry.model_info.mode : undefined;
    const isKnown = (modelModes as readonly unknown[]).includes(mode);
    if (isKnown && !(String(mode) in operationsByMode)) {
      findings.add(
        'notice',
        [...path, 'model_info', 'mode'],
        `${String(mode)}: not active yet, the deployment gets no traffic`,
      );
    }
    check('model_params', modelParams.shape, entry[paramsKey], [...path, paramsKey], 'model_list.litellm_params');
  }
}

import type { Environment } from '../config/environment.ts';
import type { LiveConfig, StoredModels } from '../config/live-config.ts';
import { readStoredModel } from '../config/load.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Log } from '../core/ports.ts';
import type { Repositories } from '../core/store.ts';
import type { Vault } from './encryption.ts';
import { openParams } from './sealed-params.ts';

/** Deployments and credentials of the admin API, opened and typed; one that cannot be used is reported and left out. */
export async function loadStoredModels(
  store: Pick<Repositories, 'models' | 'credentials'>,
  vault: Vault,
  environment: Environment,
  log: Log,
): Promise<StoredModels> {
  const [models, credentials] = await Promise.all([store.models.list(), store.credentials.list()]);
  const opened = <Row>(rows: readonly Row[], open: (row: Row) => void) => {
    for (const row of rows) {
      try {
        open(row);
      } catch (cause) {
        log.error('a stored row cannot be used', { reason: (cause as Error).message });
      }
    }
  };
  const entries: StoredModels['models'][number][] = [];
  opened(models, (row) => {
    const read = readStoredModel({ ...row, params: openParams(row.params, vault, row.id) }, environment);
    if (read.entry !== undefined) entries.push(read.entry);
    for (const { message, path } of read.diagnostics) log.warn('stored model', { id: row.id, path, message });
  });
  const values = new Map<string, Readonly<Record<string, string>>>();
  opened(credentials, (row) => {
    const texts = Object.entries(openParams(row.values, vault, row.id)).map(([name, value]) => [name, String(value)]);
    values.set(row.id, Object.fromEntries(texts));
  });
  return { models: entries, credentials: values };
}

/** Why a deployment written like this could not be used, or null. */
export function storedModelFault(written: JsonObject, config: LiveConfig, environment: Environment): string | null {
  const { entry, diagnostics } = readStoredModel(
    {
      id: 'new',
      modelName: String(written.model_name ?? ''),
      params: isJsonObject(written.litellm_params) ? written.litellm_params : {},
      modelInfo: isJsonObject(written.model_info) ? written.model_info : {},
      blocked: false,
    },
    environment,
  );
  const found = diagnostics.find(({ severity }) => severity === 'skipped' || severity === 'error');
  if (found !== undefined) return `${found.path}: ${found.message}`;
  return entry === undefined ? 'the deployment cannot be read' : config.faultOf(entry);
}

import type { Environment } from '../config/environment.ts';
import type { LiveConfig, StoredConfig } from '../config/live-config.ts';
import { readStoredModel } from '../config/load.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Log } from '../core/ports.ts';
import type { Deployment, Snapshot } from '../core/route.ts';
import type { Repositories } from '../core/store.ts';
import { suspensionPrefix } from '../core/suspension.ts';
import type { Vault } from './encryption.ts';
import { openParams } from './sealed-params.ts';

/**
 * What the admin API keeps of the configuration, opened and typed; a row that cannot be used is reported and left out. `kinds`:
 * of models and pass-through endpoints only those the operator wants from there (`supported_db_objects`); undefined = both.
 */
export async function loadStoredConfig(
  store: Pick<Repositories, 'models' | 'credentials' | 'accessGroups' | 'settings'>,
  vault: Vault,
  environment: Environment,
  log: Log,
  kinds: readonly string[] | undefined,
): Promise<StoredConfig> {
  const wants = (kind: string) => kinds?.includes(kind) ?? true;
  const [models, credentials, accessGroups, written] = await Promise.all([
    wants('models') ? store.models.list() : [],
    store.credentials.list(),
    store.accessGroups.list(),
    store.settings.list(),
  ]);
  const opened = <Row>(rows: readonly Row[], open: (row: Row) => void) => {
    for (const row of rows) {
      try {
        open(row);
      } catch (cause) {
        log.error('a stored row cannot be used', { reason: (cause as Error).message });
      }
    }
  };
  const entries: StoredConfig['models'][number][] = [];
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
  const settings: Record<string, JsonObject> = {};
  opened(written, (row) => {
    if (row.id.startsWith(suspensionPrefix)) return;
    const { pass_through_endpoints: paths, ...rest } = openParams(row.value, vault, row.id);
    settings[row.id] =
      paths === undefined || !wants('pass_through_endpoints') ? rest : { ...rest, pass_through_endpoints: paths };
  });
  return { models: entries, credentials: values, accessGroups, settings };
}

/** A deployment written like one of `model_list`, in a snapshot of its own; null when it cannot be made. */
export function snapshotWritten(
  written: JsonObject,
  config: LiveConfig,
  environment: Environment,
): { readonly snapshot: Snapshot; readonly deployment: Deployment } | null {
  const { entry } = readWritten(written, environment);
  if (entry === undefined) return null;
  const snapshot = config.snapshotWith(entry);
  const deployment = snapshot.deployments.get(writtenId);
  return deployment === undefined ? null : { snapshot, deployment };
}

const writtenId = 'new';

function readWritten(written: JsonObject, environment: Environment) {
  return readStoredModel(
    {
      id: writtenId,
      modelName: String(written.model_name ?? ''),
      params: isJsonObject(written.litellm_params) ? written.litellm_params : {},
      modelInfo: isJsonObject(written.model_info) ? written.model_info : {},
      blocked: false,
    },
    environment,
  );
}

/** Why a deployment written like this could not be used, or null. */
export function storedModelFault(written: JsonObject, config: LiveConfig, environment: Environment): string | null {
  const { entry, diagnostics } = readWritten(written, environment);
  const found = diagnostics.find(({ severity }) => severity === 'skipped' || severity === 'error');
  if (found !== undefined) return `${found.path}: ${found.message}`;
  return entry === undefined ? 'the deployment cannot be read' : config.faultOf(entry);
}

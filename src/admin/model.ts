import { publicParams } from '../config/public-params.ts';
import type { JsonObject } from '../core/json.ts';
import type { ModelRecord } from '../core/store.ts';
import type { Resource } from './resource.ts';
import { administratorsOnly } from './resource.ts';

/** Deployments added through the admin API. Cached principals do not depend on them; the snapshot does. */
export const modelResource: Resource<ModelRecord> = {
  name: 'model',
  repository: (repositories) => repositories.models,
  ownership: administratorsOnly,
  scope: null,
  bounds: [],
  extraBounds: [],
  audited: (row) => ({ ...row, params: publicParams(row.params) }) as unknown as JsonObject,
};

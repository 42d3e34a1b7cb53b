import type { JsonObject } from '../core/json.ts';
import type { CredentialRecord } from '../core/store.ts';
import type { Resource } from './resource.ts';
import { administratorsOnly } from './resource.ts';

/** Connection fields that several deployments share by name. The audit log says which fields there are, not what is in them. */
export const credentialResource: Resource<CredentialRecord> = {
  name: 'credential',
  repository: (repositories) => repositories.credentials,
  ownership: administratorsOnly,
  scope: null,
  bounds: [],
  extraBounds: [],
  audited: (row) => ({ ...row, values: Object.keys(row.values) }) as unknown as JsonObject,
};

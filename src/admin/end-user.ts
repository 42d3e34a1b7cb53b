import type { EndUserRecord } from '../core/store.ts';
import type { Resource } from './resource.ts';
import { administratorsOnly, auditedRow } from './resource.ts';

/** Customers of the caller, named per request; administrators keep their limits. */
export const endUserResource: Resource<EndUserRecord> = {
  name: 'end_user',
  repository: (repositories) => repositories.endUsers,
  ownership: administratorsOnly,
  scope: 'end_user',
  bounds: [],
  extraBounds: [],
  audited: auditedRow,
};

import type { TagRecord } from '../core/store.ts';
import type { Resource } from './resource.ts';
import { administratorsOnly, auditedRow } from './resource.ts';

export const tagResource: Resource<TagRecord> = {
  name: 'tag',
  repository: (repositories) => repositories.tags,
  ownership: administratorsOnly,
  scope: 'tag',
  bounds: [],
  extraBounds: [],
  audited: auditedRow,
};

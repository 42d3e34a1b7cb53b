import type { SelectQueryBuilder } from 'kysely';
import type { UsageFilter } from '../../core/store.ts';
import type { SqlRow } from './columns.ts';
import type { Database } from './engine.ts';

export type UsageSelect = SelectQueryBuilder<Database, string, SqlRow>;

/** Filters that name one value of one column. */
export const filterColumns = {
  keyId: 'key_id',
  userId: 'user_id',
  teamId: 'team_id',
  organizationId: 'organization_id',
  endUserId: 'end_user_id',
  model: 'model_used',
  modelGroup: 'model_group',
  deploymentId: 'deployment_id',
  provider: 'provider',
  status: 'status',
  errorCode: 'error_code',
  sessionId: 'session_id',
} as const;

/** The requests that a filter lets through. */
export function filteredRequests(select: UsageSelect, filter: UsageFilter): UsageSelect {
  let filtered = select;
  if (filter.from !== undefined) filtered = filtered.where('usage.started_at', '>=', filter.from);
  if (filter.to !== undefined) filtered = filtered.where('usage.started_at', '<', filter.to);
  if (filter.costMin !== undefined) filtered = filtered.where('usage.cost', '>=', filter.costMin);
  if (filter.costMax !== undefined) filtered = filtered.where('usage.cost', '<=', filter.costMax);
  for (const [name, column] of Object.entries(filterColumns)) {
    const wanted = filter[name as keyof typeof filterColumns];
    if (wanted !== undefined) filtered = filtered.where(`usage.${column}`, '=', wanted);
  }
  const { tag } = filter;
  if (tag !== undefined) {
    filtered = filtered.where((build) =>
      build(
        'usage.id',
        'in',
        build.selectFrom('usage_tags').select('usage_tags.usage_id').where('usage_tags.tag', '=', tag),
      ),
    );
  }
  return filtered;
}

import type { UsageDimension, UsageFilter } from '../../core/store.ts';

/** What requests can be filtered and grouped by, under the names of the API. */
export const usageDimensions = {
  key: { dimension: 'keyId', filter: 'keyId' },
  user: { dimension: 'userId', filter: 'userId' },
  team: { dimension: 'teamId', filter: 'teamId' },
  organization: { dimension: 'organizationId', filter: 'organizationId' },
  end_user: { dimension: 'endUserId', filter: 'endUserId' },
  tag: { dimension: 'tag', filter: 'tag' },
  model: { dimension: 'modelUsed', filter: 'model' },
  model_group: { dimension: 'modelGroup', filter: 'modelGroup' },
  deployment: { dimension: 'deploymentId', filter: 'deploymentId' },
  provider: { dimension: 'provider', filter: 'provider' },
  status: { dimension: 'status', filter: 'status' },
  path: { dimension: 'path', filter: null },
} as const satisfies Record<string, { dimension: UsageDimension; filter: keyof UsageFilter | null }>;

export type DimensionName = keyof typeof usageDimensions;

export const dimensionNames = Object.keys(usageDimensions) as DimensionName[];

export const filterNames = dimensionNames.filter(
  (name): name is Exclude<DimensionName, 'path'> => usageDimensions[name].filter !== null,
);

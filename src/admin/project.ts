import { GatewayError } from '../core/errors.ts';
import type { KeyRecord, ProjectRecord } from '../core/store.ts';
import { notFound } from './authorize.ts';
import type { Mutation, Resource } from './resource.ts';
import { auditedRow, limitBounds } from './resource.ts';

/** A part of a team with limits of its own. Whoever runs the team sets them: the team's bound it all. */
export const projectResource: Resource<ProjectRecord> = {
  name: 'project',
  repository: (repositories) => repositories.projects,
  ownership: (row) => ({ kind: 'project', id: row.id, userId: null, teamId: row.teamId, organizationId: null }),
  scope: 'project',
  bounds: [...limitBounds, 'models', 'blocked', 'metadata'],
  extraBounds: ['budget_limits', 'model_rpm_limit', 'model_tpm_limit', 'object_permission'],
  audited: auditedRow,
};

/** A key may name a project of its own team only. */
export async function requireProject(
  { repositories }: Mutation,
  { teamId, extra }: Pick<KeyRecord, 'teamId' | 'extra'>,
): Promise<void> {
  const id = extra.project_id;
  if (id === null || id === undefined || id === '') return;
  const project = typeof id === 'string' ? await repositories.projects.get(id) : undefined;
  if (project === undefined) throw notFound('project', String(id));
  if (project.teamId === teamId) return;
  throw new GatewayError(
    'malformed_request',
    `project_id: project ${project.id} belongs to team ${project.teamId}; give the key that team_id.`,
    { param: 'project_id' },
  );
}

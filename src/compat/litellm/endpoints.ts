import type { Endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { debugEndpoints } from '../../admin/debug.ts';
import { usageEndpoints } from '../../admin/usage/endpoints.ts';
import { accessGroupEndpoints } from './access-groups.ts';
import { activityEndpoints } from './activity.ts';
import { auditEndpoints } from './audit.ts';
import { budgetLifeEndpoints } from './budget-life.ts';
import { budgetEndpoints } from './budgets.ts';
import { cacheEndpoints } from './cache.ts';
import { credentialEndpoints } from './credentials.ts';
import { customerEndpoints } from './customers.ts';
import { frontEndpoints } from './front.ts';
import { globalSpendEndpoints } from './global-spend.ts';
import { healthEndpoints } from './health.ts';
import { healthStateEndpoints } from './health-state.ts';
import { keyReadEndpoints } from './key-reads.ts';
import { keyEndpoints } from './keys.ts';
import { modelReadEndpoints } from './model-reads.ts';
import { modelEndpoints } from './models.ts';
import { organizationMemberEndpoints } from './organization-members.ts';
import { organizationEndpoints } from './organizations.ts';
import { passThroughEndpoints } from './pass-through-endpoints.ts';
import { projectEndpoints } from './projects.ts';
import { settingChangeEndpoints } from './setting-changes.ts';
import { settingEndpoints } from './settings.ts';
import { spendListEndpoints } from './spend-lists.ts';
import { spendLogEndpoints } from './spend-logs.ts';
import { spendReportEndpoints } from './spend-report.ts';
import { tagEndpoints } from './tags.ts';
import { teamCallbackEndpoints } from './team-callbacks.ts';
import { teamMemberEndpoints } from './team-members.ts';
import { teamEndpoints } from './teams.ts';
import { toolEndpoints } from './tools.ts';
import { userEndpoints } from './users.ts';

/** Every endpoint of the control plane, one line a file. */
export function controlEndpoints(plane: ControlPlane): Endpoint[] {
  const endpoints = [
    ...keyEndpoints(plane),
    ...keyReadEndpoints(plane),
    ...teamEndpoints(plane),
    ...teamCallbackEndpoints(plane),
    ...teamMemberEndpoints(plane),
    ...userEndpoints(plane),
    ...customerEndpoints(plane),
    ...organizationEndpoints(plane),
    ...organizationMemberEndpoints(plane),
    ...budgetEndpoints(plane),
    ...budgetLifeEndpoints(plane),
    ...projectEndpoints(plane),
    ...accessGroupEndpoints(plane),
    ...tagEndpoints(plane),
    ...modelEndpoints(plane),
    ...modelReadEndpoints(plane),
    ...credentialEndpoints(plane),
    ...spendLogEndpoints(plane),
    ...activityEndpoints(plane),
    ...globalSpendEndpoints(plane),
    ...spendReportEndpoints(plane),
    ...spendListEndpoints(plane),
    ...auditEndpoints(plane),
    ...toolEndpoints(plane),
    ...cacheEndpoints(plane),
    ...settingEndpoints(plane),
    ...settingChangeEndpoints(plane),
    ...passThroughEndpoints(plane),
    ...healthEndpoints(plane),
    ...healthStateEndpoints(plane),
    ...debugEndpoints(plane),
    ...usageEndpoints(plane),
  ];
  return [...endpoints, ...frontEndpoints(plane, endpoints)];
}

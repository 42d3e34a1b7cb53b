import type { Endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { healthEndpoints } from './health.ts';
import { keyReadEndpoints } from './key-reads.ts';
import { keyEndpoints } from './keys.ts';
import { modelReadEndpoints } from './model-reads.ts';
import { teamMemberEndpoints } from './team-members.ts';
import { teamEndpoints } from './teams.ts';
import { userEndpoints } from './users.ts';

/** Every endpoint of the control plane, one line a file. */
export function controlEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    ...keyEndpoints(plane),
    ...keyReadEndpoints(plane),
    ...teamEndpoints(plane),
    ...teamMemberEndpoints(plane),
    ...userEndpoints(plane),
    ...modelReadEndpoints(plane),
    ...healthEndpoints(plane),
  ];
}

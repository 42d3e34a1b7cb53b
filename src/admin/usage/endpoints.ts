import type { Endpoint } from '../contract.ts';
import type { ControlPlane } from '../control-plane.ts';
import { chargebackEndpoints } from './chargeback.ts';
import { feedbackEndpoints } from './feedback.ts';
import { usageRequestEndpoints } from './requests.ts';
import { usageSumEndpoints } from './sums.ts';

/** Ours: what was used, by whom, what it cost and how long it took. */
export function usageEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    ...usageSumEndpoints(plane),
    ...usageRequestEndpoints(plane),
    ...chargebackEndpoints(plane),
    ...feedbackEndpoints(plane),
  ];
}

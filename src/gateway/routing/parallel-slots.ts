import type { Deployment, Snapshot } from '../../core/route.ts';
import type { Gateway } from '../gateway.ts';
import { wakeFirst } from './waiting-line.ts';

/** How many requests a deployment answers at once; null where nobody said so. */
export function parallelMaxOf({ parallelMax }: Deployment, { router }: Pick<Snapshot, 'router'>): number | null {
  return parallelMax ?? router.parallelMaxDefault;
}

const takenByGateway = new WeakMap<object, Map<string, number>>();

function takenOf(gateway: object): Map<string, number> {
  let taken = takenByGateway.get(gateway);
  if (taken === undefined) {
    taken = new Map();
    takenByGateway.set(gateway, taken);
  }
  return taken;
}

/** Taken slots of a deployment that has a maximum: from the choice on, which is before anything leaves. */
export function slotsTaken(gateway: object, { id }: Deployment): number {
  return takenByGateway.get(gateway)?.get(id) ?? 0;
}

/** One request's place at a deployment that answers so many at once. */
export class ParallelSlot {
  readonly #gateway: Gateway;
  readonly #deploymentId: string;
  #isFree = false;

  constructor(gateway: Gateway, { id }: Deployment) {
    this.#gateway = gateway;
    this.#deploymentId = id;
    const taken = takenOf(gateway);
    taken.set(id, (taken.get(id) ?? 0) + 1);
  }

  /** Whoever waits first in a line looks again. A second call does nothing. */
  release(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    const taken = takenOf(this.#gateway);
    const left = (taken.get(this.#deploymentId) ?? 1) - 1;
    if (left > 0) taken.set(this.#deploymentId, left);
    else taken.delete(this.#deploymentId);
    wakeFirst(this.#gateway);
  }
}

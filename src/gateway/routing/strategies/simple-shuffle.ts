import type { Deployment } from '../../../core/route.ts';
import type { Choice, Strategy } from './strategy.ts';
import { anyOf } from './strategy.ts';

/** By chance: in proportion to `weight` where any deployment has one, else to `rpm`, else to `tpm`, else evenly. */
export const simpleShuffle: Strategy = {
  respectsRates: false,
  pick({ candidates, chance }: Choice): Deployment {
    const shares = sharesOf(candidates);
    if (shares === null) return anyOf(candidates, chance);
    const { upTo, holders } = shares;
    const point = chance.fraction() * upTo[upTo.length - 1]!;
    let low = 0;
    let high = upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (point < upTo[middle]!) high = middle;
      else low = middle + 1;
    }
    return holders[low]!;
  },
};

/** Deployments that have a share at all, and the sum of the shares up to each. */
interface Shares {
  readonly holders: readonly Deployment[];
  readonly upTo: Float64Array;
}

/** Of lists that requests choose from again and again. */
const kept = new WeakMap<readonly Deployment[], Shares | null>();

/** null: nobody has a figure. */
function sharesOf(candidates: readonly Deployment[]): Shares | null {
  let shares = kept.get(candidates);
  if (shares === undefined) {
    const measure = measures.find((measure) => candidates.some((candidate) => (measure(candidate) ?? 0) > 0));
    shares = measure === undefined ? null : summedUp(candidates, measure);
    kept.set(candidates, shares);
  }
  return shares;
}

function summedUp(candidates: readonly Deployment[], measure: Measure): Shares {
  const holders = candidates.filter((candidate) => (measure(candidate) ?? 0) > 0);
  let sum = 0;
  return { holders, upTo: Float64Array.from(holders, (holder) => (sum += measure(holder)!)) };
}

type Measure = (deployment: Deployment) => number | null;

const measures: readonly Measure[] = [
  (deployment) => deployment.weight,
  (deployment) => deployment.rpm,
  (deployment) => deployment.tpm,
];

import type { Deployment } from '../../../core/route.ts';
import type { Choice, Strategy } from './strategy.ts';
import { anyOf } from './strategy.ts';

/** By chance: in proportion to `weight` where any deployment has one, else to `rpm`, else to `tpm`, else evenly. */
export const simpleShuffle: Strategy = {
  respectsRates: false,
  pick(choice: Choice): Deployment {
    const { candidates, chance } = choice;
    const measure = measures.find((measure) => candidates.some((candidate) => (measure(candidate) ?? 0) > 0));
    if (measure === undefined) return anyOf(candidates, chance);
    let total = 0;
    for (const candidate of candidates) total += measure(candidate) ?? 0;
    let point = chance.fraction() * total;
    let last = candidates[0]!;
    for (const candidate of candidates) {
      const share = measure(candidate) ?? 0;
      if (share <= 0) continue;
      last = candidate;
      point -= share;
      if (point < 0) break;
    }
    return last;
  },
};

const measures: readonly ((deployment: Deployment) => number | null)[] = [
  (deployment) => deployment.weight,
  (deployment) => deployment.rpm,
  (deployment) => deployment.tpm,
];

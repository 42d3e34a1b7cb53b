import type { Chance } from '../../../core/ports.ts';
import type { Deployment } from '../../../core/route.ts';
import type { Health } from '../../gateway.ts';

/** What a strategy chooses from. */
export interface Choice {
  /** Never empty, none cooling down, none tried before. */
  readonly candidates: readonly Deployment[];
  readonly health: Health;
  readonly chance: Chance;
  readonly stream: boolean;
  /** Fraction above the best latency within which deployments count as equal. */
  readonly latencyBuffer: number;
}

export interface Strategy {
  /** Does it leave out deployments whose `rpm` or `tpm` of the running minute is used up? */
  readonly respectsRates: boolean;
  pick(choice: Choice): Deployment;
}

/** One of the candidates with the lowest figure, by chance among equals. */
export function lowest(choice: Choice, figureOf: (deployment: Deployment) => number): Deployment {
  const { candidates } = choice;
  let best = candidates[0]!;
  let bestFigure = Number.POSITIVE_INFINITY;
  let equals = 0;
  for (const candidate of candidates) {
    const figure = figureOf(candidate);
    if (figure < bestFigure) {
      best = candidate;
      bestFigure = figure;
      equals = 1;
    } else if (figure === bestFigure && choice.chance.fraction() * ++equals < 1) {
      best = candidate;
    }
  }
  return best;
}

/** One by chance, each as likely as the others. */
export function anyOf(candidates: readonly Deployment[], chance: Chance): Deployment {
  return candidates[Math.floor(chance.fraction() * candidates.length)]!;
}

import type { Deployment } from '../../../core/route.ts';
import type { Choice, Strategy } from './strategy.ts';
import { anyOf } from './strategy.ts';

/**
 * By chance among those within the buffer of the fastest: time to first token for streams, time per output token for
 * whole answers. A deployment without a sample counts as 0, so that it gets one.
 */
export const latencyBased: Strategy = {
  respectsRates: true,
  pick(choice) {
    const { candidates } = choice;
    let best = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) best = Math.min(best, latencyOf(choice, candidate));
    const limit = best * (1 + choice.latencyBuffer);
    return anyOf(
      candidates.filter((candidate) => latencyOf(choice, candidate) <= limit),
      choice.chance,
    );
  },
};

function latencyOf({ health, stream }: Choice, deployment: Deployment): number {
  const state = health.state(deployment);
  return (stream ? (state.firstTokenMs ?? state.msPerOutputToken) : state.msPerOutputToken) ?? 0;
}

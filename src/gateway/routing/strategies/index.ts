import type { RoutingStrategy } from '../../../core/route.ts';
import { costBased } from './cost-based.ts';
import { latencyBased } from './latency-based.ts';
import { leastBusy } from './least-busy.ts';
import { simpleShuffle } from './simple-shuffle.ts';
import type { Strategy } from './strategy.ts';
import { usageBased } from './usage-based.ts';

export const strategies: Readonly<Record<RoutingStrategy, Strategy>> = {
  'simple-shuffle': simpleShuffle,
  'least-busy': leastBusy,
  'latency-based-routing': latencyBased,
  'cost-based-routing': costBased,
  'usage-based-routing': usageBased,
  'usage-based-routing-v2': usageBased,
};

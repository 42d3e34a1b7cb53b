import type { Strategy } from './strategy.ts';
import { lowest } from './strategy.ts';

/** The fewest tokens in the running minute. Both published versions of the strategy choose like this. */
export const usageBased: Strategy = {
  respectsRates: true,
  pick: (choice) => lowest(choice, (candidate) => choice.health.state(candidate).tokensThisMinute),
};

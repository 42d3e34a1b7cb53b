import type { Strategy } from './strategy.ts';
import { lowest } from './strategy.ts';

/** The fewest calls in flight from this process. */
export const leastBusy: Strategy = {
  respectsRates: false,
  pick: (choice) => lowest(choice, (candidate) => choice.health.state(candidate).inFlight),
};

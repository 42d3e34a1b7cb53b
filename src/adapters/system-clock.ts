import { randomBytes } from 'node:crypto';
import type { Chance, Clock } from '../core/ports.ts';
import { randomId } from './random-id.ts';
import { TimerWheel } from './timer-wheel.ts';

/** The machine's own time. Timers of all requests share one wheel, which does not keep the program alive. */
export function systemClock(): Clock {
  const wheel = new TimerWheel();
  return {
    now: () => Date.now(),
    tick: () => performance.now(),
    setTimer: (delayMs, callback) => wheel.setTimer(delayMs, callback),
  };
}

/** After everything that this turn of the event loop brings. */
export function atEndOfTurn(work: () => void): void {
  setImmediate(work);
}

export const systemChance: Chance = {
  fraction: () => Math.random(),
  id: randomId,
  token: (bytes) => randomBytes(bytes).toString('base64url'),
};

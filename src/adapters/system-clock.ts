import { randomBytes, randomUUID } from 'node:crypto';
import type { Chance, Clock } from '../core/ports.ts';
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

export const systemChance: Chance = {
  fraction: () => Math.random(),
  id: () => randomUUID(),
  token: (bytes) => randomBytes(bytes).toString('base64url'),
};

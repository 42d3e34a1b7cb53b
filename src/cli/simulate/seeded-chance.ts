import type { Chance } from '../../core/ports.ts';

/** The same numbers for the same seed (mulberry32), so that a run can be repeated. */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0;
  let ids = 0;
  return {
    fraction() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    },
    id: () => `simulated-${seed}-${ids++}`,
    token: () => `simulated-${seed}-${ids++}`,
  };
}

import { describe, expect, it } from 'vitest';
import type { Clock } from '../core/ports.ts';
import { StoreClock } from './store-clock.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A machine whose time of day may be set, and a store some way ahead that answers after `travelMs`. */
function world() {
  const state = { tick: 1_000.5, wall: 5_000_000, storeLead: 9_000_000, travelMs: 4, warnings: 0 };
  let due: (() => void) | null = null;
  const machine: Clock = {
    now: () => state.wall,
    tick: () => state.tick,
    setTimer: (_, callback) => {
      due = callback;
      return { cancel: () => {} };
    },
  };
  const ask = async () => {
    state.tick += state.travelMs / 2;
    const time = Math.floor(state.storeLead + state.tick);
    state.tick += state.travelMs / 2;
    return time;
  };
  const log = {
    ...silent,
    warn: () => {
      state.warnings += 1;
    },
  };
  const again = async () => {
    due?.();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { state, again, start: () => StoreClock.follow({ machine, ask, log }) };
}

describe('the clock of the store', () => {
  it('shows the store`s time, whatever the machine thinks it is', async () => {
    const { state, start } = world();
    const clock = await start();
    expect(Math.abs(clock.now() - (state.storeLead + state.tick))).toBeLessThanOrEqual(2);
    expect(state.warnings).toBe(1);
  });

  it('goes on evenly when the time of day is set here', async () => {
    const { state, start, again } = world();
    const clock = await start();
    const before = clock.now();
    state.wall -= 600_000;
    state.tick += 250;
    expect(clock.now()).toBe(before + 250);
    await again();
    expect(Math.abs(clock.now() - (state.storeLead + state.tick))).toBeLessThanOrEqual(3);
  });

  it('follows when the store`s own clock was set, and another server answers', async () => {
    const { state, start, again } = world();
    const clock = await start();
    state.storeLead += 600_000;
    await again();
    expect(Math.abs(clock.now() - (state.storeLead + state.tick))).toBeLessThanOrEqual(3);
  });

  it('is moved by no more than an answer proves, where that answer took long', async () => {
    const { state, start, again } = world();
    const clock = await start();
    // The store's clock went ahead a little, and the way back takes 6 s.
    state.storeLead += 3_100;
    state.travelMs = 6_000;
    await again();
    const off = clock.now() - (state.storeLead + state.tick);
    expect(Math.abs(off)).toBeLessThanOrEqual(3_100);
  });

  it('is not moved by an answer that took long', async () => {
    const { state, start, again } = world();
    const clock = await start();
    const lead = clock.now() - state.tick;
    state.travelMs = 3_000;
    await again();
    expect(Math.abs(clock.now() - state.tick - lead)).toBeLessThanOrEqual(1);
  });
});

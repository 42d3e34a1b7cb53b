import { expect, test } from 'vitest';
import { TimerWheel } from './timer-wheel.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('timers fire in time, never early, and not after they were cancelled', async () => {
  const wheel = new TimerWheel();
  const startedAt = performance.now();
  const fired: [delay: number, at: number][] = [];
  for (const delay of [0, 1, 5, 20, 47, 80]) {
    wheel.setTimer(delay, () => fired.push([delay, performance.now() - startedAt]));
  }
  const cancelled = wheel.setTimer(30, () => fired.push([-1, 0]));
  cancelled.cancel();
  cancelled.cancel();
  await sleep(150);
  expect(fired.map(([delay]) => delay)).toEqual([0, 1, 5, 20, 47, 80]);
  for (const [delay, at] of fired) expect(at).toBeGreaterThanOrEqual(delay - 0.5);
});

test('a callback may set and cancel other timers of the same turn', async () => {
  const wheel = new TimerWheel();
  const fired: string[] = [];
  wheel.setTimer(10, () => {
    fired.push('first');
    second.cancel();
    wheel.setTimer(0, () => fired.push('third'));
  });
  const second = wheel.setTimer(10, () => fired.push('second'));
  await sleep(60);
  expect(fired).toEqual(['first', 'third']);
});

test('a timer longer than one round of the wheel waits for its own round', async () => {
  const wheel = new TimerWheel();
  let fired = false;
  const long = wheel.setTimer(8 * 1024 + 16, () => {
    fired = true;
  });
  let ticks = 0;
  for (let delay = 10; delay <= 100; delay += 10) {
    wheel.setTimer(delay, () => {
      ticks += 1;
    });
  }
  await sleep(140);
  expect(ticks).toBe(10);
  expect(fired).toBe(false);
  long.cancel();
});

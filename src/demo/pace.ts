import type { Clock, Timer } from '../core/ports.ts';
import type { DemoModel } from './models.ts';

/**
 * Calls `produce(from, to)` as tokens fall due, with slight jitter, until all `count` are out. A late timer makes up
 * for its delay, so the rate holds whatever the clock's grain. Returns what stops it.
 */
export function paceTokens(
  clock: Clock,
  model: DemoModel,
  count: number,
  produce: (from: number, to: number) => void,
): Timer {
  const startedAt = clock.tick();
  const gapMs = 1000 / model.tokensPerSecond;
  // A fixed wobble of up to a third of a gap each way, so that no two gaps are quite alike.
  const dueMs = (index: number): number => model.firstTokenMs + gapMs * (index + Math.sin(index * 2.4) / 3);
  let produced = 0;
  let timer: Timer;
  const advance = (): void => {
    const elapsedMs = clock.tick() - startedAt;
    let due = produced;
    while (due < count && dueMs(due) <= elapsedMs) due += 1;
    const from = produced;
    produced = due;
    if (produced < count) timer = clock.setTimer(Math.max(1, Math.ceil(dueMs(produced) - elapsedMs)), advance);
    if (produced > from || count === 0) produce(from, produced);
  };
  timer = clock.setTimer(model.firstTokenMs, advance);
  return { cancel: () => timer.cancel() };
}

import type { Clock, Timer } from '../core/ports.ts';

/** Does `work` again and again, `everyMs` after the last time ended; `work` must not reject. Returns how to end it. */
export function repeat(clock: Clock, everyMs: number, work: () => Promise<void>): () => void {
  let timer: Timer | null = null;
  let isOver = false;
  const next = () => {
    if (isOver) return;
    timer = clock.setTimer(everyMs, () => void work().then(next, next));
  };
  next();
  return () => {
    isOver = true;
    timer?.cancel();
  };
}

import type { Clock, Log, Timer } from '../core/ports.ts';
import type { UsageRepository } from '../core/store.ts';

const intervalMs = 10 * 60 * 1000;
const firstAfterMs = 30_000;

/** Removes request rows older than the operator keeps them; sums of spend stay. Returns what stops it. */
export function startRetention(
  store: { readonly usage: UsageRepository },
  clock: Clock,
  log: Log,
  retentionMs: () => number | null,
): () => void {
  let timer: Timer;
  const sweep = async () => {
    const keptMs = retentionMs();
    if (keptMs !== null) {
      await store.usage.removeBefore(clock.now() - keptMs).then(
        (count) => count > 0 && log.info('old request rows removed', { count }),
        (cause: Error) => log.warn('old request rows could not be removed; trying again', { reason: cause.message }),
      );
    }
    timer = clock.setTimer(intervalMs, sweep);
  };
  timer = clock.setTimer(firstAfterMs, sweep);
  return () => timer.cancel();
}

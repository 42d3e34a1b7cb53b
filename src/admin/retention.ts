import type { Clock, Log, Timer } from '../core/ports.ts';
import type { Store } from '../core/store.ts';

const intervalMsDefault = 10 * 60 * 1000;
const intervalMsMin = 1_000;
const firstAfterMsMax = 30_000;
/** Sums are kept by the hour for the last days, by the day for ever. */
const hoursKeptMs = 3 * 24 * 60 * 60 * 1000;

export interface RetentionSettings {
  /** null keeps everything. */
  readonly keptMs: number | null;
  /** Time between two sweeps; null = ten minutes. */
  readonly intervalMs: number | null;
}

/**
 * Removes request rows older than the operator keeps them, and idempotency keys whose time is over; sums stay, those of days
 * that are over by the day.
 * Returns what stops it.
 */
export function startRetention(
  store: Pick<Store, 'usage' | 'idempotency'>,
  clock: Clock,
  log: Log,
  settings: () => RetentionSettings,
): () => void {
  const waitMs = () => Math.max(intervalMsMin, settings().intervalMs ?? intervalMsDefault);
  let isOver = false;
  const sweep = async () => {
    const { keptMs } = settings();
    if (keptMs !== null) {
      await store.usage.removeBefore(clock.now() - keptMs).then(
        (count) => count > 0 && log.info('old request rows removed', { count }),
        (cause: Error) => log.warn('old request rows could not be removed; trying again', { reason: cause.message }),
      );
    }
    await store.usage
      .fold(clock.now() - hoursKeptMs)
      .catch((cause: Error) => log.warn('sums of past hours could not be moved', { reason: cause.message }));
    await store.idempotency
      .removeExpired(clock.now())
      .catch((cause: Error) => log.warn('old idempotency keys could not be removed', { reason: cause.message }));
    if (!isOver) timer = clock.setTimer(waitMs(), sweep);
  };
  let timer: Timer = clock.setTimer(Math.min(firstAfterMsMax, waitMs()), sweep);
  return () => {
    isOver = true;
    timer.cancel();
  };
}

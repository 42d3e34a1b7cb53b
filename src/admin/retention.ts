import { type CronSchedule, nextTime } from '../core/cron.ts';
import type { Clock, Log, Timer } from '../core/ports.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Store } from '../core/store.ts';
import { recordPages } from './usage/record-pages.ts';

const intervalMsDefault = 10 * 60 * 1000;
const intervalMsMin = 1_000;
const dayMs = 24 * 60 * 60 * 1000;
const firstAfterMsMax = 30_000;
/** Sums are kept by the hour for the last 24 hours at least, by the day for ever: days are what most questions read. */
const hoursKeptMs = dayMs;
/** Requests of an hour that is over are still being recorded for a while. */
const hourSettlesMs = 10 * 60 * 1000;

/** Writes requests to a file of this name in a folder. */
export type WriteArchive = (
  folder: string,
  name: string,
  pages: AsyncIterable<readonly RequestRecord[]>,
) => Promise<{ readonly file: string; readonly count: number }>;

export interface RetentionSettings {
  /** null keeps everything. */
  readonly keptMs: number | null;
  /** Where rows are written before they are removed; null removes them for good. */
  readonly archiveFolder: string | null;
  /** Time between two sweeps; null = ten minutes. */
  readonly intervalMs: number | null;
  /** When rows are removed; null = in every sweep. */
  readonly schedule: CronSchedule | null;
}

/**
 * Removes request rows older than the operator keeps them, and idempotency keys whose time is over; sums stay, those of days
 * that are over by the day.
 * Returns what stops it.
 */
export function startRetention(
  store: Pick<Store, 'usage' | 'idempotency' | 'alerts' | 'objects'>,
  clock: Clock,
  log: Log,
  settings: () => RetentionSettings,
  write: WriteArchive,
): () => void {
  let lookedAt = clock.now();
  const dueAt = () => {
    const { schedule } = settings();
    return schedule === null ? lookedAt : (nextTime(schedule, lookedAt) ?? Number.POSITIVE_INFINITY);
  };
  const waitMs = () => {
    const untilDue = settings().schedule === null ? Number.POSITIVE_INFINITY : dueAt() - clock.now();
    return Math.max(intervalMsMin, Math.min(settings().intervalMs ?? intervalMsDefault, untilDue));
  };
  let isOver = false;
  const sweep = async () => {
    const { keptMs, archiveFolder } = settings();
    const isDue = dueAt() <= clock.now();
    lookedAt = clock.now();
    if (keptMs !== null && isDue) {
      const before = clock.now() - keptMs;
      const removal =
        archiveFolder === null
          ? store.usage.removeBefore(before)
          : archiveAndRemove(store, clock, log, write, archiveFolder, Math.floor(before / dayMs) * dayMs);
      await removal.then(
        (count) => count > 0 && log.info('old request rows removed', { count }),
        (cause: Error) => log.warn('old request rows could not be removed; trying again', { reason: cause.message }),
      );
    }
    await store.usage
      .fold(clock.now() - hoursKeptMs, clock.now() - hourSettlesMs)
      .catch((cause: Error) => log.warn('sums of past hours could not be moved', { reason: cause.message }));
    await store.idempotency
      .removeExpired(clock.now())
      .catch((cause: Error) => log.warn('old idempotency keys could not be removed', { reason: cause.message }));
    await store.objects
      .removeExpired(clock.now())
      .catch((cause: Error) => log.warn('old answers could not be removed', { reason: cause.message }));
    if (!isOver) timer = clock.setTimer(waitMs(), sweep);
  };
  let timer: Timer = clock.setTimer(Math.min(firstAfterMsMax, waitMs()), sweep);
  return () => {
    isOver = true;
    timer.cancel();
  };
}

/**
 * Once a day, by one process: what ended before a day is written to a file, and only then removed. Should the process die
 * in between, the next day's file holds it as well.
 */
async function archiveAndRemove(
  store: Pick<Store, 'usage' | 'alerts'>,
  clock: Clock,
  log: Log,
  write: WriteArchive,
  folder: string,
  before: number,
): Promise<number> {
  const day = new Date(before).toISOString().slice(0, 10);
  if (!(await store.alerts.claim(`archive ${day}`, clock.now()))) return 0;
  async function* ended() {
    for await (const page of recordPages(store, { to: before })) yield page.filter(({ endedAt }) => endedAt < before);
  }
  const { file, count } = await write(folder, `requests-before-${day}.jsonl.gz`, ended());
  log.info('old request rows archived', { file, count });
  return store.usage.removeBefore(before);
}

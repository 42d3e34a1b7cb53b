import type { MetricSettings } from '../../core/sink-settings.ts';
import type { MetricSource } from './exposition.ts';
import { type Family, Gauge } from './registry.ts';
import { familyMaker } from './request-families.ts';

export interface StoreReadings {
  /** Of the books: records that are not in the store yet. */
  figures(): { readonly pendingRecords: number; readonly spooledRecords: number; readonly storeFailures: number };
  /** null where no Redis is configured. */
  redisIsUp(): boolean | null;
}

/** How long store and Redis take, how often they fail, what waits for them. */
export class StoreMetrics implements MetricSource {
  readonly #readings: StoreReadings;
  /** By the last call of it. */
  storeIsUp = true;
  readonly #redisLatency;
  readonly #redisFails;
  readonly #storeLatency;
  readonly #storeFails;
  readonly #selfLatency;
  readonly #queue;
  readonly #spooled = new Gauge(
    'tollgate_journal_spooled_records',
    'Records kept in the journal for a store that is away.',
    [],
  );
  readonly #up = new Gauge('tollgate_store_up', '1 while the store answers, 0 while it does not.', ['store']);

  constructor(settings: MetricSettings, readings: StoreReadings) {
    this.#readings = readings;
    const { counter, histogram, gauge } = familyMaker({ ...settings, metadataLabels: [], tags: [] });
    this.#redisLatency = histogram('litellm_redis_latency', 'Seconds that calls of Redis took.', []);
    this.#redisFails = counter('litellm_redis_fails', 'Calls of Redis that failed or took too long.', []);
    this.#storeLatency = histogram('litellm_postgres_latency', 'Seconds that writing the books took.', []);
    this.#storeFails = counter('litellm_postgres_fails', 'Writes of the books that failed.', []);
    this.#selfLatency = histogram('litellm_self_latency', 'Seconds that the gateway itself took for a request.', []);
    this.#queue = gauge(
      'litellm_in_memory_spend_update_queue_size',
      'Records that wait to be written to the store.',
      [],
    );
  }

  redisCall(milliseconds: number, isAnswered: boolean): void {
    this.#redisLatency.observe(this.#redisLatency.series([]), milliseconds / 1_000);
    if (!isAnswered) this.#redisFails.series([]).value++;
  }

  storeCall(milliseconds: number, isAnswered: boolean): void {
    this.storeIsUp = isAnswered;
    this.#storeLatency.observe(this.#storeLatency.series([]), milliseconds / 1_000);
    if (!isAnswered) this.#storeFails.series([]).value++;
  }

  /** Of one request. */
  record({ overheadMs }: { readonly overheadMs: number }): void {
    this.#selfLatency.observe(this.#selfLatency.series([]), overheadMs / 1_000);
  }

  families(): Family<unknown>[] {
    const { pendingRecords, spooledRecords } = this.#readings.figures();
    this.#queue.series([]).value = pendingRecords;
    this.#spooled.series([]).value = spooledRecords;
    this.#up.series(['database']).value = this.storeIsUp ? 1 : 0;
    const redis = this.#readings.redisIsUp();
    if (redis !== null) this.#up.series(['redis']).value = redis ? 1 : 0;
    return [
      ...[this.#redisLatency, this.#redisFails, this.#storeLatency, this.#storeFails, this.#selfLatency],
      ...[this.#queue, this.#spooled, this.#up],
    ];
  }
}

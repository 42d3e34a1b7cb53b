import type { SinkState } from '../sinks/sinks.ts';
import type { MetricSource } from './exposition.ts';
import { CounterElsewhere, type Family, Gauge } from './registry.ts';

/** What became of everything sinks were to be told: produced = delivered + dropped + waiting. */
export class SinkMetrics implements MetricSource {
  readonly #states: () => readonly SinkState[];
  readonly #produced = new CounterElsewhere('tollgate_sink_produced_total', 'Records or spans made for a sink.', [
    'sink',
  ]);
  readonly #delivered = new CounterElsewhere('tollgate_sink_delivered_total', 'Records or spans a sink has taken.', [
    'sink',
  ]);
  readonly #dropped = new CounterElsewhere('tollgate_sink_dropped_total', 'Records or spans that were lost.', ['sink']);
  readonly #waiting = new Gauge('tollgate_sink_waiting_bytes', 'Bytes that wait for a sink.', ['sink']);
  readonly #failures = new CounterElsewhere(
    'litellm_callback_logging_failures_metric_total',
    'Calls of a callback that failed, whether or not they were repeated.',
    ['callback_name'],
  );

  constructor(states: () => readonly SinkState[]) {
    this.#states = states;
  }

  families(): Family<unknown>[] {
    const families = [this.#produced, this.#delivered, this.#dropped, this.#waiting, this.#failures];
    for (const family of families) family.clear();
    for (const { name, counts, waitingBytes } of this.#states()) {
      this.#produced.series([name]).value += counts.produced;
      this.#delivered.series([name]).value += counts.delivered;
      this.#dropped.series([name]).value += counts.dropped;
      this.#waiting.series([name]).value += waitingBytes;
      this.#failures.series([name]).value += counts.failures;
    }
    return families;
  }
}

import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricSource } from './exposition.ts';
import { Counter, type Family, Gauge } from './registry.ts';

const percentiles = [50, 90, 99] as const;

/** The program itself, by the names that Prometheus' own clients use. Measured from the first look on. */
export class ProcessMetrics implements MetricSource {
  readonly #startedAtSeconds = Math.round(Date.now() / 1_000 - process.uptime());
  #loopDelay: ReturnType<typeof monitorEventLoopDelay> | null = null;
  readonly #cpu = new Counter('process_cpu_seconds_total', 'Processor time, user and system.', []);
  readonly #memory = new Gauge('process_resident_memory_bytes', 'Memory held.', []);
  readonly #started = new Gauge('process_start_time_seconds', 'Unix time of the start.', []);
  readonly #files = new Gauge('process_open_fds', 'Open files and sockets.', []);
  readonly #heap = new Gauge('nodejs_heap_size_used_bytes', 'Heap in use.', []);
  readonly #external = new Gauge('nodejs_external_memory_bytes', 'Memory of buffers, outside the heap.', []);
  readonly #delay = new Gauge(
    'nodejs_eventloop_lag_seconds',
    'How late the event loop came round since the last look.',
    ['percentile'],
  );
  readonly #build = new Gauge('tollgate_build_info', 'Always 1; its labels say which program runs.', [
    'version',
    'node_version',
  ]);
  readonly #version: string;

  constructor(version: string) {
    this.#version = version;
  }

  families(): Family<unknown>[] {
    const { user, system } = process.cpuUsage();
    const memory = process.memoryUsage();
    this.#cpu.series([]).value = (user + system) / 1_000_000;
    this.#memory.series([]).value = memory.rss;
    this.#started.series([]).value = this.#startedAtSeconds;
    this.#heap.series([]).value = memory.heapUsed;
    this.#external.series([]).value = memory.external;
    this.#build.series([this.#version, process.version]).value = 1;
    const files = openFiles();
    if (files !== null) this.#files.series([]).value = files;
    this.#readDelay();
    return [this.#cpu, this.#memory, this.#started, this.#files, this.#heap, this.#external, this.#delay, this.#build];
  }

  #readDelay(): void {
    if (this.#loopDelay === null) {
      this.#loopDelay = monitorEventLoopDelay({ resolution: 20 });
      this.#loopDelay.enable();
      return;
    }
    for (const percentile of percentiles) {
      const seconds = this.#loopDelay.percentile(percentile) / 1e9;
      this.#delay.series([String(percentile)]).value = Number.isFinite(seconds) ? seconds : 0;
    }
    this.#loopDelay.reset();
  }
}

/** null where the system does not tell. */
function openFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}

import type { Log, Timer } from '../../../core/ports.ts';
import type { MetricsExportSetting } from '../../../core/sink-settings.ts';
import { type Program, withProgram } from '../../sinks/open-destination.ts';
import { deliveryOf, flatHeaders, post, type Sender } from '../../sinks/post.ts';
import type { MetricSource } from '../exposition.ts';
import { metricsPayload } from './metrics-payload.ts';

export interface MetricsExportOptions {
  readonly source: MetricSource;
  readonly sender: Sender;
  readonly log: Log;
  readonly program: Program;
}

/**
 * Sends all metrics to a collector, again and again. Counts are cumulative, so a send that fails loses nothing: the next
 * one says the same and more.
 */
export class MetricsExport {
  readonly #options: MetricsExportOptions;
  readonly #startedAt: number;
  #setting: MetricsExportSetting | null = null;
  #timer: Timer | null = null;
  #isTrouble = false;

  constructor(options: MetricsExportOptions) {
    this.#options = options;
    this.#startedAt = options.sender.clock.now();
  }

  apply(setting: MetricsExportSetting | null): void {
    this.#setting = setting === null ? null : withProgram(setting, this.#options.program);
    this.#timer?.cancel();
    this.#timer = null;
    if (setting !== null) this.#schedule(setting.intervalMs);
  }

  /** Says once more how everything stands, and stops. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#setting !== null && !this.#isTrouble) await this.#send(this.#setting);
    this.#setting = null;
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#options.sender.clock.setTimer(delayMs, async () => {
      const setting = this.#setting;
      if (setting === null) return;
      await this.#send(setting);
      if (this.#setting === setting) this.#schedule(setting.intervalMs);
    });
  }

  async #send(setting: MetricsExportSetting): Promise<void> {
    const { source, sender, log, program } = this.#options;
    const moment = { startedAt: this.#startedAt, at: sender.clock.now() };
    const contentType = setting.encoding === 'protobuf' ? 'application/x-protobuf' : 'application/json';
    const answer = await post(sender, {
      url: setting.url,
      method: 'POST',
      headers: ['content-type', contentType, ...flatHeaders(setting.headers)],
      body: metricsPayload(source.families(), moment, setting, program.version),
      timeoutMs: setting.timeoutMs,
    });
    const delivery = deliveryOf(answer, moment.at);
    const isTrouble = delivery.kind !== 'delivered';
    if (isTrouble && !this.#isTrouble) {
      const reason = 'reason' in delivery ? delivery.reason : delivery.kind;
      log.warn('the collector does not take metrics; they are sent again', { reason });
    }
    this.#isTrouble = isTrouble;
  }
}

import type { Alert, AlertSink, Clock, Log } from '../../core/ports.ts';

/** A place that alerts go to. Rejects when the alert did not arrive. */
export interface AlertChannel {
  readonly name: string;
  send(alert: Alert): Promise<void>;
  /** Left out where it hears everything. */
  hears?(alert: Alert): boolean;
}

export interface AlertDeliveryOptions {
  readonly channels: readonly AlertChannel[];
  /** True for the first process that asks, false for every later one. */
  readonly claim: (id: string, now: number) => Promise<boolean>;
  /** Whether the operator wants alerts of this kind. */
  readonly wants: (alert: Alert) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

const waitingMax = 1_000;
const attemptsMax = 6;
const firstPauseMs = 500;

/**
 * Tells each alert once, over all processes: in the log, and on every channel. Nobody waits for it; what cannot be
 * delivered after several tries, or does not fit the queue, is dropped and said so in the log.
 */
export class AlertDelivery implements AlertSink {
  readonly #options: AlertDeliveryOptions;
  #waiting = 0;
  #closed = false;

  constructor(options: AlertDeliveryOptions) {
    this.#options = options;
  }

  alert(alert: Alert): void {
    if (this.#closed || !this.#options.wants(alert)) return;
    if (this.#waiting >= waitingMax) {
      this.#options.log.error('an alert was dropped: too many wait to be delivered', { alert: alert.id });
      return;
    }
    this.#waiting += 1;
    void this.#deliver(alert).finally(() => {
      this.#waiting -= 1;
    });
  }

  close(): void {
    this.#closed = true;
  }

  async #deliver(alert: Alert): Promise<void> {
    const { channels, claim, clock, log } = this.#options;
    if (!('unclaimed' in alert) || alert.unclaimed !== true) {
      const isFirst = await this.#again(alert, 'store', () => claim(alert.id, clock.now()));
      if (isFirst === false) return;
    }
    const about = 'scope' in alert ? { scope: alert.scope, subject: alert.label } : { subject: alert.subject };
    log.warn(alert.message, { event: alert.event, ...about });
    const hearing = channels.filter((channel) => channel.hears?.(alert) ?? true);
    await Promise.all(hearing.map((channel) => this.#again(alert, channel.name, () => channel.send(alert))));
  }

  /** undefined when it never worked. */
  async #again<Answer>(alert: Alert, place: string, tell: () => Promise<Answer>): Promise<Answer | undefined> {
    const { clock, log } = this.#options;
    for (let attempt = 1; attempt <= attemptsMax && !this.#closed; attempt++) {
      try {
        return await tell();
      } catch (cause) {
        if (attempt === attemptsMax) {
          log.error('an alert could not be delivered', {
            alert: alert.id,
            place,
            reason: (cause as Error).message,
          });
          return undefined;
        }
      }
      await new Promise<void>((resolve) => clock.setTimer(firstPauseMs * 2 ** (attempt - 1), resolve));
    }
    return undefined;
  }
}

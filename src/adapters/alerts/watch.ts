import type { AlertSettings } from '../../core/alert-settings.ts';
import type { GatewayError } from '../../core/errors.ts';
import { dollarsFromNanodollars, type Nanodollars, nanodollarsPerDollar } from '../../core/money.ts';
import type { AlertSink, Clock, Log, RecordSink, Timer } from '../../core/ports.ts';
import type { Attempt, RequestRecord } from '../../core/request-record.ts';
import type { Deployment } from '../../core/route.ts';
import type { UsageRepository } from '../../core/store.ts';
import { spendReport } from './spend-report.ts';

export interface AlertWatchOptions {
  readonly alerts: AlertSink;
  readonly settings: AlertSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly usage: Pick<UsageRepository, 'summarize'>;
  readonly storeIsUp: () => boolean;
  /** null where no Redis is configured. */
  readonly redisIsUp: () => boolean | null;
  readonly sinks: () => readonly { readonly name: string; readonly counts: { readonly dropped: number } }[];
}

const lookMs = 5_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
const daysCompared = 7;
const daysCompareMin = 3;
/** A store that is away for a moment is nobody's business. */
const outageMs = 10_000;
/** Deployments and keys that are counted at the same time. */
const countedMax = 5_000;

interface Tried {
  readonly model: string;
  attempts: number;
  failures: number;
  slow: number;
  slowestMs: number;
  lastFailure: string;
}

/** Looks every few seconds at what was counted since, and tells what somebody should know: once an hour, or a day. */
export class AlertWatch implements RecordSink {
  readonly #options: AlertWatchOptions;
  #tried = new Map<string, Tried>();
  #minuteEndsAt: number;
  /** What keys spent here since they were last looked at in the store. */
  readonly #spent = new Map<string, { alias: string; sum: Nanodollars }>();
  readonly #downSince = new Map<string, number>();
  readonly #toldDown = new Set<string>();
  readonly #dropped = new Map<string, number>();
  /** Number of the period that the last report was of, or in which this process began. */
  #reportedPeriod: number | null = null;
  #timer: Timer | null = null;
  #closed = false;

  constructor(options: AlertWatchOptions) {
    this.#options = options;
    this.#minuteEndsAt = options.clock.now() + minuteMs;
    this.#schedule();
  }

  record(record: RequestRecord): void {
    for (const attempt of record.attempts) this.#count(attempt);
    const { keyId, cost } = record;
    if (cost === 0 || keyId === null) return;
    const spent = this.#spent.get(keyId);
    if (spent !== undefined) spent.sum += cost;
    else if (this.#spent.size < countedMax) this.#spent.set(keyId, { alias: record.keyAlias ?? keyId, sum: cost });
  }

  cooledDown({ id, model, group }: Deployment, error: GatewayError): void {
    this.#options.alerts.alert({
      id: `deployment_cooled_down|${id}|${Math.floor(this.#options.clock.now() / hourMs)}`,
      event: 'deployment_cooled_down',
      subject: model,
      message: `${model} (${id}) of ${group} rests: ${error.details.reason ?? error.code}.`,
      facts: { deployment_id: id, model, model_group: group, status: error.status },
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #count({ deploymentId, model, result, durationMs }: Attempt): void {
    if (result === 'aborted') return;
    let tried = this.#tried.get(deploymentId);
    if (tried === undefined) {
      if (this.#tried.size >= countedMax) return;
      tried = { model, attempts: 0, failures: 0, slow: 0, slowestMs: 0, lastFailure: '' };
      this.#tried.set(deploymentId, tried);
    }
    tried.attempts += 1;
    if (result !== 'success') {
      tried.failures += 1;
      tried.lastFailure = result;
    }
    if (durationMs > this.#options.settings.slowMs) tried.slow += 1;
    tried.slowestMs = Math.max(tried.slowestMs, durationMs);
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimer(lookMs, () => {
      void this.look().finally(() => {
        if (!this.#closed) this.#schedule();
      });
    });
  }

  /** One look at everything. Never rejects. */
  async look(): Promise<void> {
    const now = this.#options.clock.now();
    this.#lookAtStore('the database', this.#options.storeIsUp(), now);
    const redis = this.#options.redisIsUp();
    if (redis !== null) this.#lookAtStore('Redis', redis, now);
    this.#lookAtSinks(now);
    this.#lookAtDeployments(now);
    await this.#report(now).catch((cause: Error) =>
      this.#options.log.warn('the spend report cannot be made; trying again', { reason: cause.message }),
    );
    await this.#lookAtSpend(now).catch((cause: Error) =>
      this.#options.log.debug('the spend of keys cannot be compared', { reason: cause.message }),
    );
  }

  /** At the end of a minute, or as soon as it is clear. */
  #lookAtDeployments(now: number): void {
    const { settings, alerts } = this.#options;
    const hour = Math.floor(now / hourMs);
    for (const [id, tried] of this.#tried) {
      const { model, attempts, failures, slow, slowestMs, lastFailure } = tried;
      if (attempts < settings.attemptsMin) continue;
      if (failures >= attempts * settings.share) {
        alerts.alert({
          id: `deployment_failing|${id}|${hour}`,
          event: 'deployment_failing',
          subject: model,
          message: `Outage alert: ${model} (${id}) failed ${failures} of ${attempts} attempts within a minute, last with ${lastFailure}.`,
          facts: { deployment_id: id, model, attempts, failures, last_error: lastFailure },
        });
      }
      if (slow >= attempts * settings.share) {
        const seconds = settings.slowMs / 1_000;
        alerts.alert({
          id: `deployment_slow|${id}|${hour}`,
          event: 'deployment_slow',
          subject: model,
          message: `Slow answers: ${slow} of ${attempts} attempts at ${model} (${id}) took more than ${seconds} seconds within a minute.`,
          facts: { deployment_id: id, model, attempts, slow, threshold_seconds: seconds, slowest_ms: slowestMs },
        });
      }
    }
    if (now < this.#minuteEndsAt) return;
    this.#minuteEndsAt = now + minuteMs;
    this.#tried = new Map();
  }

  #lookAtStore(name: string, isUp: boolean, now: number): void {
    const { alerts } = this.#options;
    const since = this.#downSince.get(name);
    if (isUp) {
      this.#downSince.delete(name);
      if (!this.#toldDown.delete(name) || since === undefined) return;
      const seconds = Math.round((now - since) / 1_000);
      alerts.alert({
        id: `store_back|${name}|${now}`,
        event: 'store_back',
        subject: name,
        message: `The gateway reaches ${name} again, after ${seconds} seconds.`,
        facts: { store: name, seconds },
        unclaimed: true,
      });
      return;
    }
    if (since === undefined) {
      this.#downSince.set(name, now);
      return;
    }
    if (now - since < outageMs || this.#toldDown.has(name)) return;
    this.#toldDown.add(name);
    const seconds = Math.round((now - since) / 1_000);
    alerts.alert({
      id: `store_down|${name}|${since}`,
      event: 'store_down',
      subject: name,
      message: `Outage alert: the gateway has not reached ${name} for ${seconds} seconds.`,
      facts: { store: name, seconds },
      unclaimed: true,
    });
  }

  #lookAtSinks(now: number): void {
    for (const { name, counts } of this.#options.sinks()) {
      const lost = counts.dropped - (this.#dropped.get(name) ?? 0);
      this.#dropped.set(name, counts.dropped);
      if (lost <= 0) continue;
      this.#options.alerts.alert({
        id: `sink_losing|${name}|${Math.floor(now / hourMs)}`,
        event: 'sink_losing',
        subject: name,
        message: `Records were lost: ${name} was not told of ${lost}. The books hold every one of them.`,
        facts: { sink: name, lost, lost_in_all: counts.dropped },
      });
    }
  }

  /** Once for each period, over all processes: what it cost. */
  async #report(now: number): Promise<void> {
    const { settings, usage, alerts } = this.#options;
    const everyMs = settings.reportEveryMs;
    if (everyMs === null) return;
    const period = Math.floor(now / everyMs);
    this.#reportedPeriod ??= period;
    if (period === this.#reportedPeriod) return;
    alerts.alert(await spendReport(usage, { from: (period - 1) * everyMs, to: period * everyMs }));
    this.#reportedPeriod = period;
  }

  /** Keys that spent something worth a look: today over all processes, against their days before. */
  async #lookAtSpend(now: number): Promise<void> {
    const { settings, usage, alerts } = this.#options;
    const least = settings.spendMinDollars * nanodollarsPerDollar;
    const today = Math.floor(now / dayMs) * dayMs;
    for (const [keyId, { alias, sum }] of this.#spent) {
      // A tenth of what could matter is enough to look again.
      if (sum < least / 10) continue;
      this.#spent.delete(keyId);
      const days = await usage.summarize({ keyId, from: today - daysCompared * dayMs, to: today + dayMs }, ['day']);
      const name = new Date(today).toISOString().slice(0, 10);
      const spentToday = days.find(({ group }) => group.day === name)?.cost ?? 0;
      const before = days.filter(({ group }) => group.day !== name).map(({ cost }) => cost);
      if (before.length < daysCompareMin || spentToday < least) continue;
      const mean = before.reduce((all, one) => all + one, 0) / before.length;
      if (spentToday <= mean * settings.spendFactor) continue;
      const dollars = dollarsFromNanodollars(spentToday);
      const usual = dollarsFromNanodollars(Math.round(mean));
      alerts.alert({
        id: `spend_unusual|${keyId}|${name}`,
        event: 'spend_unusual',
        subject: alias,
        message: `Unusual spend: key ${alias} spent ${dollars.toFixed(2)} dollars today, ${(spentToday / Math.max(1, mean)).toFixed(1)} times its mean day (${usual.toFixed(2)}).`,
        facts: { token: keyId, key_alias: alias, spend: dollars, mean_day: usual },
      });
    }
  }
}

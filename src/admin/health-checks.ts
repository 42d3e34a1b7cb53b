import type { Clock, Timer } from '../core/ports.ts';
import type { Deployment } from '../core/route.ts';
import type { ProbeResult } from './control-plane.ts';

const intervalMsMin = 1_000;
const firstAfterMs = 5_000;
/** While checks are off, how often it is asked whether they are on. */
const idleMs = 10_000;
const concurrencyDefault = 8;
const historyMax = 1_000;

export interface HealthCheckSettings {
  readonly enabled: boolean;
  readonly intervalMs: number;
  /** Checks at once; null = the default. */
  readonly concurrency: number | null;
}

export interface HealthCheck extends ProbeResult {
  readonly deployment: Pick<Deployment, 'id' | 'group'>;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface HealthChecksOptions {
  readonly clock: Clock;
  settings(): HealthCheckSettings;
  deployments(): Iterable<Deployment>;
  probe(deployment: Deployment): Promise<ProbeResult>;
  /** Told of every check in which something was asked. */
  onChecked?(deployment: Deployment, result: ProbeResult): void;
}

/** Calls every deployment regularly, where the operator wants that, and remembers what came of it. */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #latest = new Map<string, HealthCheck>();
  #history: HealthCheck[] = [];
  #timer: Timer | null = null;
  #isOver = false;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  get enabled(): boolean {
    return this.#options.settings().enabled;
  }

  /** Newest first. */
  get history(): readonly HealthCheck[] {
    return this.#history;
  }

  latest(deploymentId: string): HealthCheck | null {
    return this.#latest.get(deploymentId) ?? null;
  }

  /** Returns what stops it. */
  start(): () => void {
    this.#schedule(firstAfterMs);
    return () => {
      this.#isOver = true;
      this.#timer?.cancel();
    };
  }

  /** A check that was made for another reason is remembered like the others. */
  async check(deployment: Deployment): Promise<HealthCheck> {
    const result = await this.#options.probe(deployment);
    if (result.asked) this.#options.onChecked?.(deployment, result);
    const { id, group } = deployment;
    const check: HealthCheck = { ...result, deployment: { id, group }, at: this.#options.clock.now() };
    this.#latest.set(id, check);
    this.#history = [check, ...this.#history.slice(0, historyMax - 1)];
    return check;
  }

  #schedule(delayMs: number): void {
    if (this.#isOver) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      const { enabled, intervalMs } = this.#options.settings();
      if (!enabled) return this.#schedule(idleMs);
      void this.#round().finally(() => this.#schedule(Math.max(intervalMsMin, intervalMs)));
    });
  }

  async #round(): Promise<void> {
    const all = [...this.#options.deployments()];
    const ids = new Set(all.map(({ id }) => id));
    for (const id of this.#latest.keys()) if (!ids.has(id)) this.#latest.delete(id);
    const waiting = all.filter(
      ({ blocked, modelInfo }) => !blocked && modelInfo.disable_background_health_check !== true,
    );
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined && !this.#isOver; next = waiting.shift()) {
        await this.check(next).catch(() => {});
      }
    };
    const atOnce = this.#options.settings().concurrency ?? concurrencyDefault;
    await Promise.all(Array.from({ length: Math.max(1, Math.min(atOnce, waiting.length)) }, work));
  }
}

import type { Clock, Timer } from '../core/ports.ts';
import type { Deployment } from '../core/route.ts';
import type { ProbeResult } from './control-plane.ts';

const intervalMsMin = 1_000;
const firstAfterMs = 5_000;
/** While checks are off, how often it is asked whether they are on. */
const idleMs = 10_000;
const concurrencyDefault = 8;
const historyMax = 1_000;
const lookMs = 10_000;

export interface HealthCheckSettings {
  readonly enabled: boolean;
  readonly intervalMs: number;
  /** Checks at once; null = the default. */
  readonly concurrency: number | null;
  /** One replica checks for all. */
  readonly isShared?: boolean;
}

/** What replicas tell each other; null or false where nothing was told. */
export interface CheckNotes {
  /** True for one replica within this time; null while nobody can tell. */
  takeTurn(forMs: number): Promise<boolean | null>;
  read(): Promise<string | null>;
  write(text: string, keptMs: number): Promise<void>;
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
  /** null = this replica has nobody to share with. */
  readonly notes?: CheckNotes | null;
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
  /** When this replica last checked because nobody could tell whose turn it was. */
  #ownAt = Number.NEGATIVE_INFINITY;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  get enabled(): boolean {
    return this.#options.settings().enabled;
  }

  get isShared(): boolean {
    const { enabled, isShared = false } = this.#options.settings();
    return enabled && isShared && (this.#options.notes ?? null) !== null;
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
    const { id, group } = deployment;
    return this.#remember(deployment, { ...result, deployment: { id, group }, at: this.#options.clock.now() });
  }

  #remember(deployment: Deployment, check: HealthCheck): HealthCheck {
    if (check.asked) this.#options.onChecked?.(deployment, check);
    this.#latest.set(deployment.id, check);
    this.#history = [check, ...this.#history.slice(0, historyMax - 1)];
    return check;
  }

  #schedule(delayMs: number): void {
    if (this.#isOver) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      const { enabled, intervalMs } = this.#options.settings();
      if (!enabled) return this.#schedule(idleMs);
      const { notes = null } = this.#options;
      const isShared = this.isShared && notes !== null;
      const made = isShared ? this.#sharedRound(notes, intervalMs) : this.#round();
      // Who shares looks more often: at whose turn it is, and at what was told.
      const nextMs = isShared ? Math.min(lookMs, intervalMs / 5) : intervalMs;
      void made.catch(() => {}).finally(() => this.#schedule(Math.max(intervalMsMin, nextMs)));
    });
  }

  /** Whose turn it is checks and tells; the others hear. While nobody can tell, each checks for itself. */
  async #sharedRound(notes: CheckNotes, intervalMs: number): Promise<void> {
    const isMine = await notes.takeTurn(intervalMs);
    if (isMine === false) return this.#hear(await notes.read());
    if (isMine === null && this.#options.clock.now() < this.#ownAt + intervalMs) return;
    this.#ownAt = this.#options.clock.now();
    await this.#round();
    if (isMine) await notes.write(JSON.stringify([...this.#latest.values()]), intervalMs * 3);
  }

  #hear(text: string | null): void {
    const told: unknown = text === null ? null : JSON.parse(text);
    if (!Array.isArray(told)) return;
    const known = new Map([...this.#options.deployments()].map((one) => [one.id, one]));
    for (const check of told as HealthCheck[]) {
      const deployment = known.get(check.deployment.id);
      if (deployment === undefined || check.at <= (this.#latest.get(deployment.id)?.at ?? 0)) continue;
      this.#remember(deployment, check);
    }
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

import type { GatewayError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { Deployment, Snapshot } from '../../core/route.ts';
import type { DeploymentState, Health, LatencySample } from '../gateway.ts';
import { cooldownMsAfter } from './cooldown.ts';
import { errorClassOf } from './error-class.ts';

/** Weight of the newest sample in a decaying mean: about the last ten samples count. */
const sampleWeight = 2 / 11;
/** An unused mean halves in this time, so that a deployment that was slow once is tried again. */
const idleHalfLifeMs = 60_000;
/** A time-out counts as a sample this many times the mean, and at least this long. */
const timeoutFactor = 10;
const timeoutSampleMs = 1_000;
const messageLengthMax = 300;
/** Above this many deployments, those unused for an hour and gone from the configuration are forgotten. */
const entriesMax = 10_000;
const forgottenAfterMs = 3_600_000;

/** `onCooldown` is told when a deployment is given a rest, not when the rest is prolonged. */
export function createHealth(clock: Clock, onCooldown: OnCooldown = () => {}): Health {
  return new DeploymentHealth(clock, onCooldown);
}

export type OnCooldown = (deployment: Deployment, error: GatewayError) => void;

class DeploymentHealth implements Health {
  readonly #clock: Clock;
  readonly #onCooldown: OnCooldown;
  readonly #entries = new Map<string, Entry>();
  /** When the last of those that cool down is back. */
  #someRestUntil = 0;

  constructor(clock: Clock, onCooldown: OnCooldown) {
    this.#clock = clock;
    this.#onCooldown = onCooldown;
  }

  started(deployment: Deployment): void {
    const entry = this.#entry(deployment);
    entry.inFlight++;
    entry.requestsThisMinute++;
  }

  succeeded(deployment: Deployment, sample: LatencySample): void {
    const entry = this.#ended(deployment);
    const now = this.#clock.now();
    entry.lastSuccessAt = now;
    entry.tokensThisMinute += sample.inputTokens + sample.outputTokens;
    entry.outputTokensThisMinute += sample.outputTokens;
    entry.sample(now, sample.totalMs / Math.max(1, sample.outputTokens), sample.firstTokenMs);
  }

  failed(deployment: Deployment, error: GatewayError, snapshot: Snapshot, groupSize: number): void {
    const entry = this.#ended(deployment);
    const now = this.#clock.now();
    entry.failuresThisMinute++;
    const reason = error.details.reason ?? 'gave no usable answer';
    entry.lastError = { at: now, status: error.status, message: error.message.slice(0, messageLengthMax), reason };
    if (error.code === 'upstream_timeout') entry.sampleTimeout(now);
    const errorClass = errorClassOf(error);
    if (errorClass !== null) entry.countFailure(errorClass, now, snapshot.router.cooldownMs);
    // A deployment that stands for any model must not rest because one of them is missing or busy.
    if (snapshot.deployments.get(deployment.id)?.group.includes('*')) return;
    const cooldownMs = cooldownMsAfter(error, deployment, snapshot.router, groupSize, {
      requestsThisMinute: entry.requestsThisMinute,
      failuresThisMinute: entry.failuresThisMinute,
      failuresOfClass: errorClass === null ? 0 : (entry.failuresByClass.get(errorClass)?.count ?? 0),
      errorClass,
    });
    if (cooldownMs <= 0) return;
    if (entry.coolingDownUntil === null) this.#onCooldown(deployment, error);
    entry.coolingDownUntil = Math.max(entry.coolingDownUntil ?? 0, now + cooldownMs);
    this.#someRestUntil = Math.max(this.#someRestUntil, entry.coolingDownUntil);
  }

  released(deployment: Deployment): void {
    this.#ended(deployment);
  }

  checked(deployment: Deployment, healthy: boolean, status: number | null): void {
    this.#entry(deployment).lastCheck = { at: this.#clock.now(), healthy, status };
  }

  isCoolingDown(deployment: Deployment): boolean {
    const until = this.#entries.get(deployment.id)?.coolingDownUntil;
    return until !== null && until !== undefined && until > this.#clock.now();
  }

  someRest(): boolean {
    return this.#someRestUntil > this.#clock.now();
  }

  /** The live figures, not a copy: read them at once. */
  state(deployment: Deployment): DeploymentState {
    return this.#entry(deployment);
  }

  #ended(deployment: Deployment): Entry {
    const entry = this.#entry(deployment);
    if (entry.inFlight > 0) entry.inFlight--;
    return entry;
  }

  #entry(deployment: Deployment): Entry {
    const now = this.#clock.now();
    let entry = this.#entries.get(deployment.id);
    if (entry === undefined) {
      if (this.#entries.size >= entriesMax) this.#forget(now);
      entry = new Entry(now);
      this.#entries.set(deployment.id, entry);
    }
    entry.refresh(now);
    return entry;
  }

  #forget(now: number): void {
    for (const [id, entry] of this.#entries) {
      if (entry.inFlight === 0 && now - entry.usedAt > forgottenAfterMs) this.#entries.delete(id);
    }
  }
}

class Entry implements DeploymentState {
  inFlight = 0;
  coolingDownUntil: number | null = null;
  requestsThisMinute = 0;
  tokensThisMinute = 0;
  outputTokensThisMinute = 0;
  failuresThisMinute = 0;
  lastError: DeploymentState['lastError'] = null;
  lastSuccessAt: number | null = null;
  lastCheck: DeploymentState['lastCheck'] = null;
  readonly failuresByClass = new Map<string, { count: number; until: number }>();
  usedAt: number;
  #minute: number;
  #now: number;
  #sampledAt = 0;
  #msPerOutputToken: number | null = null;
  #firstTokenMs: number | null = null;

  constructor(now: number) {
    this.usedAt = now;
    this.#now = now;
    this.#minute = Math.floor(now / 60_000);
  }

  get msPerOutputToken(): number | null {
    return this.#decayed(this.#msPerOutputToken);
  }

  get firstTokenMs(): number | null {
    return this.#decayed(this.#firstTokenMs);
  }

  refresh(now: number): void {
    this.usedAt = now;
    this.#now = now;
    if (this.coolingDownUntil !== null && this.coolingDownUntil <= now) this.coolingDownUntil = null;
    const minute = Math.floor(now / 60_000);
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.requestsThisMinute = 0;
    this.tokensThisMinute = 0;
    this.outputTokensThisMinute = 0;
    this.failuresThisMinute = 0;
  }

  sample(now: number, msPerOutputToken: number, firstTokenMs: number | null): void {
    this.#msPerOutputToken = blended(this.msPerOutputToken, msPerOutputToken);
    if (firstTokenMs !== null) this.#firstTokenMs = blended(this.firstTokenMs, firstTokenMs);
    this.#sampledAt = now;
  }

  sampleTimeout(now: number): void {
    const slow = (mean: number | null) => Math.max(timeoutSampleMs, (mean ?? 0) * timeoutFactor);
    this.sample(now, slow(this.msPerOutputToken), slow(this.firstTokenMs));
  }

  countFailure(errorClass: string, now: number, windowMs: number): void {
    const counted = this.failuresByClass.get(errorClass);
    if (counted !== undefined && counted.until > now) counted.count++;
    else this.failuresByClass.set(errorClass, { count: 1, until: now + windowMs });
  }

  #decayed(mean: number | null): number | null {
    return mean === null ? null : mean * 0.5 ** (Math.max(0, this.#now - this.#sampledAt) / idleHalfLifeMs);
  }
}

function blended(mean: number | null, sample: number): number {
  return mean === null ? sample : mean + (sample - mean) * sampleWeight;
}

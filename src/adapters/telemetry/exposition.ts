import type { Registry } from 'prom-client';
import type { Nanodollars } from '../../core/money.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import { Gauge } from './registry.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** What is read afresh at each scrape instead of being counted as it happens. */
export interface GaugeReadings {
  inFlight(): number;
  deployments(): Iterable<{
    readonly model: string;
    readonly id: string;
    readonly apiBase: string;
    readonly provider: string;
    /** 0 healthy, 1 partly, 2 out: what `litellm_deployment_state` means. */
    readonly state: 0 | 1 | 2;
  }>;
  budgets(): Iterable<{
    readonly scope: 'key' | 'team';
    readonly id: string;
    readonly label: string;
    readonly cap: Nanodollars;
    readonly left: Nanodollars;
    /** Unix milliseconds; null = never. */
    readonly resetAt: number | null;
  }>;
  now(): number;
}

/** Everything `/metrics` shows: requests as they were counted, gauges as they stand, and the process itself. */
export class Exposition {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #requests: RequestMetrics;
  readonly #readings: GaugeReadings;
  /** Of the process itself, from the first scrape on: who never scrapes need not load it. */
  #program: Registry | undefined;
  readonly #inFlight = new Gauge('litellm_in_flight_requests', 'Requests being answered now.', []);
  readonly #deploymentState = new Gauge('litellm_deployment_state', '0 healthy, 1 partly failing, 2 out of use.', [
    'litellm_model_name',
    'model_id',
    'api_base',
    'api_provider',
  ]);
  readonly #budgets = {
    key: budgetGauges('api_key', ['hashed_api_key', 'api_key_alias']),
    team: budgetGauges('team', ['team', 'team_alias']),
  };

  constructor(requests: RequestMetrics, readings: GaugeReadings) {
    this.#requests = requests;
    this.#readings = readings;
  }

  async render(): Promise<string> {
    this.#read();
    const gauges = [
      this.#inFlight,
      this.#deploymentState,
      ...Object.values(this.#budgets.key),
      ...Object.values(this.#budgets.team),
    ];
    return (
      this.#requests.render() +
      gauges.map((gauge) => gauge.render()).join('') +
      (await (await this.#programMetrics()).metrics())
    );
  }

  async #programMetrics(): Promise<Registry> {
    if (this.#program === undefined) {
      const { collectDefaultMetrics, Registry } = await import('prom-client');
      this.#program = new Registry();
      collectDefaultMetrics({ register: this.#program });
    }
    return this.#program;
  }

  #read(): void {
    this.#inFlight.series([]).value = this.#readings.inFlight();
    this.#deploymentState.clear();
    for (const { model, id, apiBase, provider, state } of this.#readings.deployments()) {
      this.#deploymentState.series([model, id, apiBase, provider]).value = state;
    }
    for (const gauges of Object.values(this.#budgets)) for (const gauge of Object.values(gauges)) gauge.clear();
    const now = this.#readings.now();
    for (const { scope, id, label, cap, left, resetAt } of this.#readings.budgets()) {
      const gauges = this.#budgets[scope];
      gauges.cap.series([id, label]).value = dollarsFromNanodollars(cap);
      gauges.left.series([id, label]).value = dollarsFromNanodollars(left);
      if (resetAt !== null) gauges.hours.series([id, label]).value = Math.max(0, resetAt - now) / 3_600_000;
    }
  }
}

function budgetGauges(name: string, labels: readonly string[]) {
  return {
    cap: new Gauge(`litellm_${name}_max_budget_metric`, 'Hard budget in dollars.', labels),
    left: new Gauge(`litellm_remaining_${name}_budget_metric`, 'Dollars of the budget that are not spent.', labels),
    hours: new Gauge(`litellm_${name}_budget_remaining_hours_metric`, 'Hours until the budget starts anew.', labels),
  };
}

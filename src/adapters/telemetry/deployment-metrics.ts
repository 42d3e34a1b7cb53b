import type { Deployment } from '../../core/route.ts';
import type { MetricSettings } from '../../core/sink-settings.ts';
import type { MetricSource } from './exposition.ts';
import type { Family } from './registry.ts';
import { familyMaker } from './request-families.ts';

export interface DeploymentReadings {
  inFlight(): number;
  deployments(): Iterable<Deployment>;
  condition(deployment: Deployment): DeploymentCondition;
}

export interface DeploymentCondition {
  readonly coolingDownUntil: number | null;
  readonly failuresThisMinute: number;
}

const names = ['litellm_model_name', 'model_id', 'api_base', 'api_provider'];

/** What is in flight, and how the deployments are. */
export class DeploymentMetrics implements MetricSource {
  readonly #readings: DeploymentReadings;
  readonly #inFlight;
  readonly #state;
  readonly #cooledDown;

  constructor(settings: MetricSettings, readings: DeploymentReadings) {
    const { counter, gauge } = familyMaker({ ...settings, metadataLabels: [], tags: [] });
    this.#readings = readings;
    this.#inFlight = gauge('litellm_in_flight_requests', 'Requests being answered now.', []);
    this.#state = gauge('litellm_deployment_state', '0 healthy, 1 partly failing, 2 out of use.', names);
    this.#cooledDown = counter('litellm_deployment_cooled_down', 'How often a deployment was given a rest.', [
      ...names,
      'exception_status',
    ]);
  }

  cooledDown(deployment: Deployment, status: number): void {
    this.#cooledDown.series([...labelsOf(deployment), String(status)]).value++;
  }

  families(): Family<unknown>[] {
    this.#inFlight.series([]).value = this.#readings.inFlight();
    this.#state.clear();
    for (const deployment of this.#readings.deployments()) {
      this.#state.series(labelsOf(deployment)).value = this.#stateOf(deployment);
    }
    return [this.#inFlight, this.#state, this.#cooledDown];
  }

  /** 0 healthy, 1 partly failing, 2 out of use. */
  #stateOf(deployment: Deployment): 0 | 1 | 2 {
    const { coolingDownUntil, failuresThisMinute } = this.#readings.condition(deployment);
    if (deployment.unusable !== null || coolingDownUntil !== null) return 2;
    return failuresThisMinute > 0 ? 1 : 0;
  }
}

function labelsOf({ model, id, apiBase, provider }: Deployment): string[] {
  return [model, id, apiBase, provider.id];
}

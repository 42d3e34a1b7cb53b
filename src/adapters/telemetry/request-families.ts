import type { MetricSettings } from '../../core/sink-settings.ts';
import { Counter, Gauge, Histogram, type Kept } from './registry.ts';

/** Seconds: fine steps below 100 ms for the gateway's own share, half-second steps for models, then minutes. */
export const latencyBounds = [
  ...[0.005, 0.00625, 0.0125, 0.025, 0.05, 0.1],
  ...Array.from({ length: 20 }, (_, index) => 0.5 + index * 0.5),
  ...[15, 20, 25, 30, 60, 120, 180, 240, 300],
];

const key = ['hashed_api_key', 'api_key_alias', 'team', 'team_alias'] as const;
const deployment = ['litellm_model_name', 'model_id', 'api_base', 'api_provider'] as const;
const address = ['api_provider', 'api_base', 'litellm_model_name', 'hashed_api_key', 'api_key_alias'] as const;

/** Makes families as the operator wants them: with labels of its own behind the usual ones, without what was left out. */
export function familyMaker({ metadataLabels, tags, only }: MetricSettings) {
  const own = [...metadataLabels.map(labelName), ...tags.map((tag) => labelName(`tag_${tag}`))];
  const kept = (name: string, labels: readonly string[]): Kept => {
    if (only === null) return { isWanted: true, places: null };
    const wanted = only.get(name.replace(/_total$/, ''));
    if (wanted === undefined) return { isWanted: false, places: null };
    if (wanted === null) return { isWanted: true, places: null };
    return { isWanted: true, places: labels.flatMap((label, place) => (wanted.includes(label) ? [place] : [])) };
  };
  return {
    counter(name: string, help: string, labels: readonly string[]) {
      const all = [...labels, ...own];
      return new Counter(`${name}_total`, help, all, kept(name, all));
    },
    histogram(name: string, help: string, labels: readonly string[]) {
      const all = [...labels, ...own];
      return new Histogram(name, help, all, latencyBounds, kept(name, all));
    },
    /** Gauges have the usual labels only. */
    gauge: (name: string, help: string, labels: readonly string[]) => new Gauge(name, help, labels, kept(name, labels)),
  };
}

/** What may stand in a label's name; everything else becomes `_`. */
export function labelName(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^\d/.test(name) ? `_${name}` : name;
}

/** The metric names and labels that LiteLLM's dashboards read, counted from the one row every request leaves. */
export function createFamilies(settings: MetricSettings) {
  const { counter, histogram, gauge } = familyMaker(settings);
  const stream = settings.stream ? ['stream'] : [];
  const tokens = (kind: string, help: string) =>
    counter(`litellm_${kind}_tokens_metric`, help, ['end_user', ...key, 'requested_model', 'model', 'user']);
  const fallbacks = (name: string, help: string) =>
    counter(name, help, ['requested_model', 'fallback_model', ...key, 'exception_status', 'exception_class']);
  return {
    proxyTotal: counter(
      'litellm_proxy_total_requests_metric',
      'Requests to the proxy, by the status their client got.',
      [...['end_user', ...key, 'requested_model', 'user', 'user_email', 'status_code', 'route', 'model_id', ...stream]],
    ),
    proxyFailed: counter('litellm_proxy_failed_requests_metric', 'Requests that did not end well.', [
      ...['end_user', ...key, 'requested_model', 'user', 'user_email', 'exception_status', 'exception_class'],
      ...['route', 'model_id'],
    ]),
    spend: counter('litellm_spend_metric', 'Dollars spent.', ['end_user', ...key, 'model', 'user']),
    requests: counter('litellm_requests_metric', 'Requests that reached a model.', [
      ...['end_user', ...key, 'model', 'user', 'user_email'],
    ]),
    totalTokens: tokens('total', 'Input and output tokens.'),
    inputTokens: tokens('input', 'Input tokens.'),
    outputTokens: tokens('output', 'Output tokens.'),
    totalLatency: histogram(
      'litellm_request_total_latency_metric',
      'Seconds from the arrival of a request to the end of its answer.',
      ['end_user', ...key, 'requested_model', 'model', 'user', 'model_id'],
    ),
    apiLatency: histogram('litellm_llm_api_latency_metric', 'Seconds spent waiting for providers.', [
      ...['model', ...key, 'requested_model', 'end_user', 'user', 'model_id'],
    ]),
    firstToken: histogram('litellm_llm_api_time_to_first_token_metric', 'Seconds to the first content of a stream.', [
      'model',
      ...key,
      'requested_model',
      'end_user',
      'user',
      'model_id',
    ]),
    overhead: histogram('litellm_overhead_latency_metric', "Seconds of the gateway's own share.", [
      ...['model_group', ...address],
    ]),
    deploymentSuccess: counter('litellm_deployment_success_responses', 'Answers a deployment gave.', [
      ...['requested_model', ...deployment, ...key],
    ]),
    deploymentTotal: counter('litellm_deployment_total_requests', 'Attempts at a deployment.', [
      ...['requested_model', ...deployment, ...key],
    ]),
    deploymentFailure: counter('litellm_deployment_failure_responses', 'Attempts at a deployment that failed.', [
      ...['requested_model', ...deployment, ...key, 'exception_status', 'exception_class'],
    ]),
    latencyPerToken: histogram('litellm_deployment_latency_per_output_token', 'Seconds per output token.', [
      ...deployment,
      ...key,
    ]),
    fallbackSuccess: fallbacks('litellm_deployment_successful_fallbacks', 'Fallbacks that answered.'),
    fallbackFailure: fallbacks('litellm_deployment_failed_fallbacks', 'Fallbacks that failed too.'),
    remainingRequests: gauge(
      'litellm_remaining_requests_metric',
      'Requests a provider says are left of its own limit.',
      ['model_group', ...address],
    ),
    remainingTokens: gauge('litellm_remaining_tokens_metric', 'Tokens a provider says are left of its own limit.', [
      'model_group',
      ...address,
    ]),
    keyRequestsLeft: gauge(
      'litellm_remaining_api_key_requests_for_model',
      'Requests left of the limit that a key has on a model.',
      ['hashed_api_key', 'api_key_alias', 'model'],
    ),
    keyTokensLeft: gauge(
      'litellm_remaining_api_key_tokens_for_model',
      'Tokens left of the limit that a key has on a model.',
      ['hashed_api_key', 'api_key_alias', 'model'],
    ),
  };
}

export type RequestFamilies = ReturnType<typeof createFamilies>;

import { dollarsFromNanodollars } from '../../core/money.ts';
import type { RecordSink } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { totalInputTokens, totalOutputTokens } from '../../core/usage.ts';
import { type Counted, Counter, type Distribution, Histogram } from './registry.ts';

/** Seconds: fine steps below 100 ms for the gateway's own share, half-second steps for models, then minutes. */
const latencyBounds = [
  0.005,
  0.00625,
  0.0125,
  0.025,
  0.05,
  0.1,
  ...Array.from({ length: 20 }, (_, index) => 0.5 + index * 0.5),
  15,
  20,
  25,
  30,
  60,
  120,
  180,
  240,
  300,
];

const key = ['hashed_api_key', 'api_key_alias', 'team', 'team_alias'] as const;
const deployment = ['litellm_model_name', 'model_id', 'api_base', 'api_provider'] as const;

/** The metric names and labels that LiteLLM's dashboards read, counted from the one row every request leaves. */
const createFamilies = () => ({
  proxyTotal: new Counter(
    'litellm_proxy_total_requests_metric_total',
    'Requests to the proxy, by the status their client got.',
    ['end_user', ...key, 'requested_model', 'user', 'user_email', 'status_code', 'route', 'model_id'],
  ),
  proxyFailed: new Counter('litellm_proxy_failed_requests_metric_total', 'Requests that did not end well.', [
    'end_user',
    ...key,
    'requested_model',
    'user',
    'user_email',
    'exception_status',
    'exception_class',
    'route',
    'model_id',
  ]),
  spend: new Counter('litellm_spend_metric_total', 'Dollars spent.', ['end_user', ...key, 'model', 'user']),
  requests: new Counter('litellm_requests_metric_total', 'Requests that reached a model.', [
    'end_user',
    ...key,
    'model',
    'user',
    'user_email',
  ]),
  totalTokens: tokenCounter('total', 'Input and output tokens.'),
  inputTokens: tokenCounter('input', 'Input tokens.'),
  outputTokens: tokenCounter('output', 'Output tokens.'),
  totalLatency: new Histogram(
    'litellm_request_total_latency_metric',
    'Seconds from the arrival of a request to the end of its answer.',
    ['end_user', ...key, 'requested_model', 'model', 'user', 'model_id'],
    latencyBounds,
  ),
  apiLatency: new Histogram(
    'litellm_llm_api_latency_metric',
    'Seconds spent waiting for providers.',
    ['model', ...key, 'requested_model', 'end_user', 'user', 'model_id'],
    latencyBounds,
  ),
  firstToken: new Histogram(
    'litellm_llm_api_time_to_first_token_metric',
    'Seconds to the first content of a stream.',
    ['model', ...key, 'requested_model', 'end_user', 'user', 'model_id'],
    latencyBounds,
  ),
  overhead: new Histogram(
    'litellm_overhead_latency_metric',
    "Seconds of the gateway's own share.",
    ['model_group', 'api_provider', 'api_base', 'litellm_model_name', 'hashed_api_key', 'api_key_alias'],
    latencyBounds,
  ),
  deploymentSuccess: new Counter('litellm_deployment_success_responses_total', 'Answers a deployment gave.', [
    'requested_model',
    ...deployment,
    ...key,
  ]),
  deploymentTotal: new Counter('litellm_deployment_total_requests_total', 'Attempts at a deployment.', [
    'requested_model',
    ...deployment,
    ...key,
  ]),
  deploymentFailure: new Counter(
    'litellm_deployment_failure_responses_total',
    'Attempts at a deployment that failed.',
    ['requested_model', ...deployment, ...key, 'exception_status', 'exception_class'],
  ),
  latencyPerToken: new Histogram(
    'litellm_deployment_latency_per_output_token',
    'Seconds per output token.',
    [...deployment, ...key],
    latencyBounds,
  ),
  fallbackSuccess: new Counter('litellm_deployment_successful_fallbacks_total', 'Fallbacks that answered.', [
    'requested_model',
    'fallback_model',
    ...key,
    'exception_status',
    'exception_class',
  ]),
  fallbackFailure: new Counter('litellm_deployment_failed_fallbacks_total', 'Fallbacks that failed too.', [
    'requested_model',
    'fallback_model',
    ...key,
    'exception_status',
    'exception_class',
  ]),
});

/** Handles of everything that one label set counts, kept so that a request looks them up once. */
interface Handles {
  readonly proxyTotal: Counted;
  readonly spend: Counted;
  readonly requests: Counted;
  readonly totalTokens: Counted;
  readonly inputTokens: Counted;
  readonly outputTokens: Counted;
  readonly totalLatency: Distribution;
  readonly apiLatency: Distribution;
  readonly firstToken: Distribution;
  readonly overhead: Distribution;
  readonly deploymentSuccess: Counted;
  /** Attempts at the deployment that answered, for the usual request that needed no other. */
  readonly deploymentTotal: Counted;
  readonly latencyPerToken: Distribution;
}

const handlesMax = 20_000;

/** Counts every finished request; `teamAlias` and `userEmail` name what the row only has ids of. */
export class RequestMetrics implements RecordSink {
  readonly #families = createFamilies();
  readonly #handles = new Map<string, Handles>();

  record(record: RequestRecord): void {
    const handles = this.#handlesOf(record);
    handles.proxyTotal.value++;
    const seconds = (record.endedAt - record.startedAt) / 1000;
    if (record.status !== 'denied') {
      this.#families.totalLatency.observe(handles.totalLatency, seconds);
      this.#families.overhead.observe(handles.overhead, record.overheadMs / 1000);
    }
    if (record.status === 'success') {
      const inputTokens = totalInputTokens(record.usage);
      const outputTokens = totalOutputTokens(record.usage);
      handles.requests.value++;
      handles.totalTokens.value += inputTokens + outputTokens;
      handles.inputTokens.value += inputTokens;
      handles.outputTokens.value += outputTokens;
      if (record.deploymentId !== null && !record.cacheHit) {
        handles.deploymentSuccess.value++;
        this.#families.apiLatency.observe(handles.apiLatency, seconds - record.overheadMs / 1000);
        if (outputTokens > 0) this.#families.latencyPerToken.observe(handles.latencyPerToken, seconds / outputTokens);
      }
      if (record.stream && record.firstTokenAt !== null) {
        this.#families.firstToken.observe(handles.firstToken, (record.firstTokenAt - record.startedAt) / 1000);
      }
    } else {
      this.#countFailure(record);
    }
    handles.spend.value += dollarsFromNanodollars(record.cost);
    if (isPlain(record)) handles.deploymentTotal.value++;
    else this.#countAttempts(record);
  }

  render(): string {
    return Object.values(this.#families)
      .map((family) => family.render())
      .join('');
  }

  #handlesOf(record: RequestRecord): Handles {
    const name = `${record.keyId}\u001f${record.userId}\u001f${record.endUserId}\u001f${record.modelAsked}\u001f${record.deploymentId}\u001f${record.modelUsed}\u001f${record.httpStatus}\u001f${record.path}`;
    const known = this.#handles.get(name);
    if (known !== undefined) return known;
    if (this.#handles.size >= handlesMax) this.#handles.clear();
    const keyLabels = keyLabelsOf(record);
    const user = record.userId ?? '';
    const asked = record.modelAsked ?? '';
    const model = record.modelUsed ?? '';
    const id = record.deploymentId ?? '';
    const deploymentLabels = [model, id, record.apiBase ?? '', record.provider ?? ''];
    const tokenLabels = ['', ...keyLabels, asked, model, user];
    const modelLabels = [model, ...keyLabels, asked, '', user, id];
    const handles: Handles = {
      proxyTotal: this.#families.proxyTotal.series([
        '',
        ...keyLabels,
        asked,
        user,
        '',
        String(record.httpStatus),
        record.path,
        id,
      ]),
      spend: this.#families.spend.series(['', ...keyLabels, model, user]),
      requests: this.#families.requests.series(['', ...keyLabels, model, user, '']),
      totalTokens: this.#families.totalTokens.series(tokenLabels),
      inputTokens: this.#families.inputTokens.series(tokenLabels),
      outputTokens: this.#families.outputTokens.series(tokenLabels),
      totalLatency: this.#families.totalLatency.series(['', ...keyLabels, asked, model, user, id]),
      apiLatency: this.#families.apiLatency.series(modelLabels),
      firstToken: this.#families.firstToken.series(modelLabels),
      overhead: this.#families.overhead.series([
        record.modelGroup ?? '',
        record.provider ?? '',
        record.apiBase ?? '',
        model,
        record.keyId ?? '',
        record.keyAlias ?? '',
      ]),
      deploymentSuccess: this.#families.deploymentSuccess.series([asked, ...deploymentLabels, ...keyLabels]),
      deploymentTotal: this.#families.deploymentTotal.series([
        asked,
        model,
        id,
        '',
        record.provider ?? '',
        ...keyLabels,
      ]),
      latencyPerToken: this.#families.latencyPerToken.series([...deploymentLabels, ...keyLabels]),
    };
    this.#handles.set(name, handles);
    return handles;
  }

  #countFailure(record: RequestRecord): void {
    this.#families.proxyFailed.series([
      '',
      ...keyLabelsOf(record),
      record.modelAsked ?? '',
      record.userId ?? '',
      '',
      String(record.httpStatus),
      record.errorCode ?? '',
      record.path,
      record.deploymentId ?? '',
    ]).value++;
  }

  #countAttempts(record: RequestRecord): void {
    for (const attempt of record.attempts) {
      const asked = record.modelAsked ?? '';
      const labels = [asked, attempt.model, attempt.deploymentId, '', attempt.provider, ...keyLabelsOf(record)];
      this.#families.deploymentTotal.series(labels).value++;
      const failed = attempt.result !== 'success';
      const failure = [attempt.status === null ? '' : String(attempt.status), failed ? attempt.result : ''];
      if (failed) this.#families.deploymentFailure.series([...labels, ...failure]).value++;
      if (attempt.group === record.attempts[0]?.group) continue;
      const family = failed ? this.#families.fallbackFailure : this.#families.fallbackSuccess;
      family.series([asked, attempt.group, ...keyLabelsOf(record), ...failure]).value++;
    }
  }
}

/** One attempt, and it succeeded under the names that stand in the record. */
function isPlain({ attempts, deploymentId, provider, modelUsed }: RequestRecord): boolean {
  if (attempts.length !== 1) return false;
  const only = attempts[0]!;
  return (
    only.result === 'success' &&
    only.deploymentId === deploymentId &&
    only.provider === provider &&
    only.model === modelUsed
  );
}

function tokenCounter(kind: string, help: string): Counter {
  return new Counter(`litellm_${kind}_tokens_metric_total`, help, [
    'end_user',
    ...key,
    'requested_model',
    'model',
    'user',
  ]);
}

function keyLabelsOf(record: RequestRecord): string[] {
  return [record.keyId ?? '', record.keyAlias ?? '', record.teamId ?? '', ''];
}

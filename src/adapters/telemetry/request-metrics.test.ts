import { describe, expect, it } from 'vitest';
import type { RequestRecord } from '../../core/request-record.ts';
import { noUsage } from '../../core/usage.ts';
import { RequestMetrics } from './request-metrics.ts';

const answered: RequestRecord = {
  id: 'r1',
  operation: 'chat',
  dialect: 'openai-chat',
  path: '/v1/chat/completions',
  status: 'success',
  httpStatus: 200,
  errorCode: null,
  errorMessage: null,
  keyId: 'k1',
  keyAlias: 'team "a"',
  userId: 'u1',
  teamId: 't1',
  organizationId: null,
  endUserId: 'customer-1',
  tags: [],
  sessionId: null,
  traceId: null,
  clientAddress: null,
  modelAsked: 'fast',
  modelGroup: 'fast',
  deploymentId: 'd1',
  provider: 'p1',
  modelUsed: 'fast-2',
  apiBase: 'http://127.0.0.1',
  stream: true,
  cacheHit: false,
  cacheKey: null,
  usage: { ...noUsage, inputTokens: 10, cacheReadTokens: 5, outputTokens: 20 },
  cost: 2_500_000_000,
  bound: 0,
  priceSource: null,
  startedAt: 1_000,
  firstTokenAt: 1_040,
  endedAt: 1_600,
  overheadMs: 1,
  attempts: [
    {
      deploymentId: 'd1',
      group: 'fast',
      provider: 'p1',
      model: 'fast-2',
      startedAt: 1_000,
      durationMs: 599,
      status: 200,
      result: 'success',
      ambiguous: false,
      charged: 0,
    },
  ],
  finishReason: 'stop',
  metadata: {},
  requestText: null,
  responseText: null,
};

function sampleOf(text: string, beginning: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(beginning));
  return Number(line?.slice(line.lastIndexOf(' ') + 1));
}

describe('request metrics', () => {
  it('counts an answered request under the names dashboards know', () => {
    const metrics = new RequestMetrics();
    metrics.record(answered);
    metrics.record({ ...answered, id: 'r2' });
    const text = metrics.render();
    expect(sampleOf(text, 'litellm_proxy_total_requests_metric_total{')).toBe(2);
    expect(sampleOf(text, 'litellm_spend_metric_total{')).toBe(5);
    expect(sampleOf(text, 'litellm_input_tokens_metric_total{')).toBe(30);
    expect(sampleOf(text, 'litellm_output_tokens_metric_total{')).toBe(40);
    expect(sampleOf(text, 'litellm_request_total_latency_metric_sum{')).toBeCloseTo(1.2);
    expect(sampleOf(text, 'litellm_llm_api_time_to_first_token_metric_count{')).toBe(2);
    expect(text).toContain('api_key_alias="team \\"a\\""');
  });

  it('keeps end users out of the labels: their number has no bound', () => {
    const metrics = new RequestMetrics();
    metrics.record(answered);
    expect(metrics.render()).not.toContain('customer-1');
  });

  it('counts a refused request as failed and not as latency', () => {
    const metrics = new RequestMetrics();
    metrics.record({
      ...answered,
      status: 'denied',
      httpStatus: 429,
      errorCode: 'budget_exceeded',
      attempts: [],
      cost: 0,
    });
    const text = metrics.render();
    expect(sampleOf(text, 'litellm_proxy_failed_requests_metric_total{')).toBe(1);
    expect(text).toContain('exception_class="budget_exceeded"');
    expect(text).not.toContain('litellm_request_total_latency_metric_count');
  });

  it('counts a fallback that answered', () => {
    const [attempt] = answered.attempts;
    const metrics = new RequestMetrics();
    metrics.record({
      ...answered,
      attempts: [
        { ...attempt!, status: 503, result: 'upstream_unavailable' },
        { ...attempt!, group: 'backup', deploymentId: 'd2' },
      ],
    });
    const text = metrics.render();
    expect(sampleOf(text, 'litellm_deployment_failure_responses_total{')).toBe(1);
    expect(sampleOf(text, 'litellm_deployment_successful_fallbacks_total{')).toBe(1);
  });
});

import { type ErrorCode, GatewayError } from '../../core/errors.ts';
import type { Planned } from '../../core/exchange.ts';
import type { NeutralResponse } from '../../core/neutral.ts';
import type { Deployment } from '../../core/route.ts';
import { estimatedUsage } from '../record/usage-estimate.ts';

/** Names of failures that `mock_response` may ask for. */
const failures: Readonly<Record<string, ErrorCode>> = {
  'litellm.RateLimitError': 'upstream_rate_limited',
  'litellm.InternalServerError': 'upstream_error',
  'litellm.ServiceUnavailableError': 'upstream_unavailable',
  'litellm.Timeout': 'upstream_timeout',
  'litellm.AuthenticationError': 'upstream_authentication',
  'litellm.ContextWindowExceededError': 'context_window_exceeded',
  'litellm.ContentPolicyViolationError': 'content_policy_violation',
};

/** Drills of `mock_testing_*`: how the group asked for pretends to fail. */
const drills: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  fallbacks: ['upstream_error', 'litellm.InternalServerError: mock failure asked for with mock_testing_fallbacks'],
  context_window: ['context_window_exceeded', 'litellm.ContextWindowExceededError: mock failure asked for'],
  content_policy: ['content_policy_violation', 'litellm.ContentPolicyViolationError: mock failure asked for'],
  rate_limit: ['upstream_rate_limited', 'litellm.RateLimitError: mock failure asked for'],
};

export function mockedFailure(exchange: Planned): GatewayError | null {
  const { mockFailure } = exchange.options;
  const drill = mockFailure === null ? undefined : drills[mockFailure];
  return drill === undefined ? null : new GatewayError(drill[0], drill[1]);
}

/**
 * The answer of a deployment that calls nobody, when it or the caller says so; null otherwise. Throws GatewayError when
 * a failure is to be played.
 */
export function mockedAnswer(exchange: Planned, deployment: Deployment): NeutralResponse | null {
  const text = exchange.options.mockResponse ?? deployment.mockResponse;
  if (text === null || exchange.operation !== 'chat') return null;
  const failure = failures[text];
  if (failure !== undefined) throw new GatewayError(failure, `${text}: mock failure asked for with mock_response`);
  return {
    id: `chatcmpl-${exchange.id}`,
    model: exchange.facts.model ?? exchange.model,
    createdAt: Math.floor(exchange.receivedAt / 1_000),
    choices: [{ index: 0, content: [{ type: 'text', text }], finishReason: 'stop' }],
    usage: { ...estimatedUsage(exchange, deployment, Buffer.byteLength(text)), estimated: false },
    extra: {},
  };
}

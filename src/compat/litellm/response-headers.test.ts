import { describe, expect, it } from 'vitest';
import { deployment, headersIn, principal, rateLimit, router } from '../../../test/builders.ts';
import { ByteWriter } from '../../core/byte-writer.ts';
import { GatewayError } from '../../core/errors.ts';
import type { ReplyOrigin } from '../../core/exchange.ts';
import type { ReplyFacts } from '../../core/reply-facts.ts';
import { createDescribeReply } from './response-headers.ts';

const origin: ReplyOrigin = {
  deployment: deployment({ id: 'dep', apiBase: 'http://host/v1?token=x', publicParams: { region_name: 'eu' } }),
  group: 'b',
  retries: 1,
  fallbacks: 2,
  cacheHit: false,
  cacheKey: null,
  upstreamMs: 5,
  providerHeaders: null,
  error: null,
};

function describeFacts(more: Partial<ReplyFacts> = {}): Record<string, string> {
  const lines = new ByteWriter();
  const facts: ReplyFacts = {
    callId: 'call',
    principal: principal(),
    model: 'a',
    origin,
    rateReservation: null,
    router: router(),
    timeoutMs: 60_000,
    cost: null,
    keySpend: null,
    keyBudget: null,
    clampedOutputTokens: null,
    durationMs: 12.34567,
    overheadMs: 0.5,
    error: null,
    ...more,
  };
  createDescribeReply('1.2.3')(facts, lines);
  expect(lines.written.toString('latin1')).toMatch(/^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+: [\x20-\x7e]+\r\n)+$/);
  return headersIn(lines.written);
}

describe('response headers', () => {
  it('tell who answered, after what, and how long it took', () => {
    expect(describeFacts()).toEqual({
      'x-litellm-call-id': 'call',
      'x-litellm-version': '1.2.3',
      'x-litellm-model-id': 'dep',
      'x-litellm-model-api-base': 'http://host/v1',
      'x-litellm-model-region': 'eu',
      'x-litellm-model-group': 'b',
      'x-litellm-attempted-retries': '1',
      'x-litellm-attempted-fallbacks': '2',
      'x-litellm-max-retries': '2',
      'x-litellm-max-fallbacks': '5',
      'x-litellm-timeout': '60',
      'x-litellm-response-duration-ms': '12.346',
      'x-litellm-overhead-duration-ms': '0.5',
      'x-tollgate-overhead-ms': '0.5',
    });
  });

  it('tell the cost, with its parts only where there are any', () => {
    const plain = describeFacts({
      cost: { charged: 310_000, listed: 310_000, discount: 0, margin: 0 },
      keySpend: 5e9,
      keyBudget: 500e9,
    });
    expect(plain).toMatchObject({
      'x-litellm-response-cost': '0.00031',
      'x-litellm-key-spend': '5.0',
      'x-litellm-key-max-budget': '500.0',
    });
    expect(plain).not.toHaveProperty('x-litellm-response-cost-original');
    const marked = describeFacts({ cost: { charged: 3e9, listed: 2e9, discount: 0, margin: 1e9 } });
    expect(marked).toMatchObject({
      'x-litellm-response-cost-original': '2.0',
      'x-litellm-response-cost-margin-amount': '1.0',
      'x-litellm-response-cost-margin-percent': '50',
    });
  });

  it('tell the limits of each scope, and the tightest as the plain ones', () => {
    const headers = describeFacts({
      model: 'acme/x y',
      rateReservation: {
        claims: [
          { rule: rateLimit({ limit: 10 }), amount: 1 },
          { rule: rateLimit({ limit: 100, scope: 'team', id: 't' }), amount: 1 },
          { rule: rateLimit({ limit: 50, metric: 'tokens', model: 'acme/*' }), amount: 1 },
          { rule: rateLimit({ limit: 3, metric: 'parallel' }), amount: 1 },
        ],
        remaining: [9, 4, 40, 2],
        resetAt: [0, 1_000, 2_000, 0],
      },
    });
    expect(headers).toMatchObject({
      'x-ratelimit-api_key-limit-requests': '10',
      'x-ratelimit-api_key-remaining-requests': '9',
      'x-ratelimit-team-remaining-requests': '4',
      'x-ratelimit-model_per_key-remaining-tokens': '40',
      'x-ratelimit-api_key-limit-max_parallel_requests': '3',
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '4',
      'x-ratelimit-reset-requests': '1970-01-01T00:00:01.000Z',
      'x-ratelimit-remaining-tokens': '40',
      'x-litellm-key-rpm-limit': '10',
      'x-litellm-key-remaining-tokens-acme-x-y': '40',
    });
  });

  it('pass the provider’s headers on under a prefix, and its limits under the usual names', () => {
    const headers = describeFacts({
      origin: {
        ...origin,
        providerHeaders: {
          'x-request-id': 'r-1',
          'anthropic-ratelimit-requests-remaining': '7',
          'transfer-encoding': 'chunked',
          'set-cookie': ['a=b'],
          'x-odd': 'caf\u00e9\r\nx: y',
        },
      },
    });
    expect(headers).toMatchObject({
      'llm_provider-x-request-id': 'r-1',
      'x-ratelimit-remaining-requests': '7',
      'llm_provider-x-odd': 'cafx: y',
    });
    expect(headers).not.toHaveProperty('llm_provider-transfer-encoding');
    expect(headers).not.toHaveProperty('llm_provider-set-cookie');
  });

  it('say little of a refusal: the id, and when to come back', () => {
    const error = new GatewayError('rate_limited', 'no', {
      retryAfterSeconds: 1.2,
      headers: { rate_limit_type: 'requests' },
    });
    const headers = describeFacts({ model: null, origin: null, principal: null, error });
    expect(headers).toMatchObject({ 'x-litellm-call-id': 'call', 'retry-after': '2', rate_limit_type: 'requests' });
    expect(headers).not.toHaveProperty('x-litellm-model-group');
  });

  it('tell that the maximum was lowered', () => {
    expect(describeFacts({ clampedOutputTokens: 300 })['x-tollgate-clamped-max-tokens']).toBe('300');
  });
});

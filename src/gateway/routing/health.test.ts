import { describe, expect, it } from 'vitest';
import { deployment, type router, snapshot, TestClock } from '../../../test/builders.ts';
import { type ErrorCode, type ErrorDetails, GatewayError } from '../../core/errors.ts';
import { createHealth } from './health.ts';

function set(parts: Parameters<typeof router>[0] = {}, of = deployment()) {
  const clock = new TestClock();
  const health = createHealth(clock);
  const config = snapshot({ deployments: [of], router: parts });
  return {
    clock,
    health,
    of,
    fail(code: ErrorCode, groupSize = 2, details: ErrorDetails = {}) {
      health.started(of);
      health.failed(of, new GatewayError(code, 'no', details), config, groupSize);
      return health.isCoolingDown(of);
    },
    succeed() {
      health.started(of);
      health.succeeded(of, { totalMs: 10, firstTokenMs: null, inputTokens: 3, outputTokens: 2 });
    },
  };
}

describe('health', () => {
  it('counts in flight, requests, tokens and failures of the running minute', () => {
    const { health, of, succeed, fail, clock } = set();
    succeed();
    fail('upstream_error');
    health.started(of);
    expect(health.state(of)).toMatchObject({
      inFlight: 1,
      requestsThisMinute: 3,
      tokensThisMinute: 5,
      outputTokensThisMinute: 2,
      failuresThisMinute: 1,
    });
    health.released(of);
    health.released(of);
    expect(health.state(of).inFlight).toBe(0);
    clock.advance(60_000);
    expect(health.state(of)).toMatchObject({ requestsThisMinute: 0, tokensThisMinute: 0, failuresThisMinute: 0 });
    expect(health.state(of).lastError).toMatchObject({ status: 500, message: 'no' });
  });

  it('rests a deployment with alternatives after 429, 401 and 404, for the router’s time', () => {
    for (const code of ['upstream_rate_limited', 'upstream_authentication', 'upstream_not_found'] as const) {
      const { fail, health, of, clock } = set();
      expect(fail(code)).toBe(true);
      clock.advance(4_999);
      expect(health.isCoolingDown(of)).toBe(true);
      clock.advance(1);
      expect(health.isCoolingDown(of)).toBe(false);
      expect(health.state(of).coolingDownUntil).toBeNull();
    }
  });

  it('does not rest it for a request that was wrong in itself', () => {
    const { fail } = set();
    for (let index = 0; index < 20; index++) expect(fail('upstream_bad_request')).toBe(false);
    expect(fail('context_window_exceeded')).toBe(false);
  });

  it('rests it when more than half of at least five requests failed', () => {
    const { fail, succeed } = set();
    succeed();
    succeed();
    expect(fail('upstream_unavailable')).toBe(false);
    expect(fail('upstream_unavailable')).toBe(false);
    expect(fail('upstream_unavailable')).toBe(true);
  });

  it('practically never rests the only deployment of a group', () => {
    const { fail } = set();
    for (const code of ['upstream_rate_limited', 'upstream_authentication', 'upstream_not_found'] as const) {
      expect(fail(code, 1)).toBe(false);
    }
    for (let index = 3; index < 999; index++) expect(fail('upstream_error', 1)).toBe(false);
    expect(fail('upstream_error', 1)).toBe(true);
  });

  it('obeys Retry-After, after the deployment’s own time and before the router’s', () => {
    const asked = set();
    asked.fail('upstream_unavailable', 2, { retryAfterSeconds: 30 });
    expect(asked.health.state(asked.of).coolingDownUntil).toBe(asked.clock.now() + 30_000);
    const own = set({}, deployment({ cooldownMs: 700 }));
    own.fail('upstream_rate_limited', 2, { retryAfterSeconds: 30 });
    expect(own.health.state(own.of).coolingDownUntil).toBe(own.clock.now() + 700);
  });

  it('lets allowed_fails and its policy decide where they are set', () => {
    const plain = set({ allowedFails: 2 });
    expect([plain.fail('upstream_error'), plain.fail('upstream_error'), plain.fail('upstream_error')]).toEqual([
      false,
      false,
      true,
    ]);
    const policy = set({ allowedFails: 0, allowedFailsPolicy: { RateLimit: 1 } });
    expect([policy.fail('upstream_rate_limited'), policy.fail('upstream_rate_limited')]).toEqual([false, true]);
    const spread = set({ allowedFails: 1 });
    spread.fail('upstream_error');
    spread.clock.advance(5_001);
    expect(spread.fail('upstream_error')).toBe(false);
  });

  it('never rests when told so, nor a deployment that stands for any model', () => {
    expect(set({ cooldownsDisabled: true }).fail('upstream_rate_limited')).toBe(false);
    expect(set({}, deployment({ cooldownMs: 0 })).fail('upstream_rate_limited')).toBe(false);
    expect(set({}, deployment({ group: 'acme/*' })).fail('upstream_not_found')).toBe(false);
  });
});

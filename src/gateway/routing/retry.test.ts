import { expect, test } from 'vitest';
import { GatewayError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { Deployment, RouterSettings } from '../../core/route.ts';
import { backoffMs, retriesAllowed } from './retry.ts';
import { RetryBudget } from './retry-budget.ts';

const router = {
  retries: 2,
  retryPolicy: {},
  groupRetryPolicy: {},
  retryAfterMinMs: 0,
  retryBudgetRatio: 0.2,
  retryBudgetMinPerSecond: 1,
} as unknown as RouterSettings;
const situation = {
  router,
  group: 'm',
  deployment: { retries: null } as Deployment,
  retriesAsked: null,
  untriedLeft: true,
  fallbacksConfigured: false,
  ownFallbacksConfigured: false,
};
const failed = (code: ConstructorParameters<typeof GatewayError>[0], retryAfterSeconds?: number) =>
  new GatewayError(code, 'failed', retryAfterSeconds === undefined ? {} : { retryAfterSeconds });

test('what retrying can help is retried as often as deployment, caller or router say, in this order', () => {
  expect(retriesAllowed(failed('upstream_error'), situation)).toBe(2);
  expect(retriesAllowed(failed('upstream_error'), { ...situation, retriesAsked: 4 })).toBe(4);
  const deployment = { retries: 1 } as Deployment;
  expect(retriesAllowed(failed('upstream_error'), { ...situation, deployment, retriesAsked: 4 })).toBe(1);
  for (const code of [
    'upstream_bad_request',
    'upstream_not_found',
    'upstream_permission',
    'malformed_request',
  ] as const) {
    expect(retriesAllowed(failed(code), situation)).toBe(0);
  }
});

test('a policy for the class of an error wins, the group’s over the general one', () => {
  const policies = {
    ...router,
    retryPolicy: { BadRequest: 1, RateLimit: 3 },
    groupRetryPolicy: { m: { RateLimit: 5 } },
  };
  expect(retriesAllowed(failed('upstream_bad_request'), { ...situation, router: policies })).toBe(1);
  expect(retriesAllowed(failed('upstream_rate_limited'), { ...situation, router: policies })).toBe(5);
  expect(retriesAllowed(failed('upstream_rate_limited'), { ...situation, router: policies, group: 'n' })).toBe(3);
});

test('what only another target can help goes there at once', () => {
  const alone = { ...situation, untriedLeft: false };
  expect(retriesAllowed(failed('upstream_authentication'), alone)).toBe(0);
  expect(retriesAllowed(failed('upstream_authentication'), situation)).toBe(2);
  expect(retriesAllowed(failed('upstream_rate_limited'), { ...alone, fallbacksConfigured: true })).toBe(0);
  expect(retriesAllowed(failed('upstream_rate_limited'), alone)).toBe(2);
  const withFallback = { ...alone, fallbacksConfigured: true };
  expect(retriesAllowed(failed('upstream_connection'), withFallback)).toBe(1);
  expect(retriesAllowed(failed('upstream_error'), { ...withFallback, retriesAsked: 0 })).toBe(0);
  expect(retriesAllowed(failed('upstream_error', 9), withFallback)).toBe(0);
  expect(retriesAllowed(failed('upstream_timeout'), withFallback)).toBe(0);
  expect(retriesAllowed(failed('upstream_timeout'), alone)).toBe(2);
  const policies = { ...router, retryPolicy: { BadRequest: 3, ContentPolicyViolation: 3 } };
  const own = { ...situation, router: policies, ownFallbacksConfigured: true };
  expect(retriesAllowed(failed('context_window_exceeded'), own)).toBe(0);
  expect(retriesAllowed(failed('content_policy_violation'), own)).toBe(0);
});

test('waiting: not at all for another deployment, as the provider asks, else exponentially with full jitter', () => {
  const chance = (fraction: number) => ({ fraction: () => fraction, id: () => '', token: () => '' });
  expect(backoffMs(failed('upstream_error', 9), 1, router, true, chance(1))).toBe(0);
  expect(backoffMs(failed('upstream_error', 9), 1, router, false, chance(1))).toBe(9_000);
  expect(backoffMs(failed('upstream_error', 61), 1, router, false, chance(1))).toBe(500);
  expect([1, 2, 3, 4, 5, 6].map((n) => backoffMs(failed('upstream_error'), n, router, false, chance(1)))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 8_000,
  ]);
  expect(backoffMs(failed('upstream_error'), 5, router, false, chance(0))).toBe(0);
  expect(backoffMs(failed('upstream_error'), 5, { ...router, retryAfterMinMs: 70 }, false, chance(0))).toBe(70);
});

test('however long everything fails, retries stay a share of the requests', () => {
  let tick = 0;
  const budget = new RetryBudget({ tick: () => tick } as Clock);
  let retries = 0;
  const requests = 60 * 300;
  for (let count = 0; count < requests; count += 1) {
    tick = (count * 1_000) / 300;
    budget.earn(router);
    for (let again = 0; again < 2; again += 1) if (budget.spend(router)) retries += 1;
  }
  // A fifth of the requests, one a second, and the burst at the start.
  expect(retries).toBeLessThanOrEqual(requests * 0.2 + 60 + 10);
  expect(retries).toBeGreaterThan(requests * 0.19);
});

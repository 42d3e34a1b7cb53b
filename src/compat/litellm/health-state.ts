import { z } from 'zod';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import type { HealthCheck } from '../../admin/health-checks.ts';
import { GatewayError } from '../../core/errors.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { Deployment } from '../../core/route.ts';
import { isoTime, tree } from './fields.ts';

const tag = 'health';
const text = z.string().nullable();
const figure = z.number().nullable();

const checkOutput = z.object({
  model_name: z.string(),
  model_id: z.string(),
  status: z.enum(['healthy', 'unhealthy']),
  error_message: text,
  response_time_ms: z.number(),
  checked_at: text,
});

const states = ['healthy', 'degraded', 'cooling_down', 'unusable', 'blocked'] as const;

const stateOutput = z.object({
  id: z.string(),
  model: z.string(),
  provider: z.string(),
  upstream_model: z.string(),
  state: z.enum(states),
  reason: text,
  cooling_down_until: text.describe('open breaker: no traffic until then'),
  in_flight: z.number(),
  requests_this_minute: z.number(),
  failures_this_minute: z.number(),
  ms_per_output_token: figure,
  first_token_ms: figure,
  last_success_at: text,
  last_error: z.object({ at: text, status: z.number(), message: z.string() }).nullable(),
  last_check: checkOutput.nullable(),
  suspended: z
    .object({ at: text, request_id: z.string(), bound: z.number(), cost: z.number() })
    .nullable()
    .describe('for callers with a hard budget: a request cost more than its upper bound; POST /model/resume ends it'),
});

/** How deployments are doing, as requests and checks have shown it. */
export function healthStateEndpoints(plane: ControlPlane): Endpoint[] {
  const shownCheck = ({ deployment, healthy, error, durationMs, at }: HealthCheck) => ({
    model_name: deployment.group,
    model_id: deployment.id,
    status: healthy ? ('healthy' as const) : ('unhealthy' as const),
    error_message: error,
    response_time_ms: durationMs,
    checked_at: isoTime(at),
  });
  const reader = { access: 'admin_read', group: 'info_routes', tag } as const;

  return [
    endpoint('GET /health/deployments', {
      ...reader,
      summary: 'State, breaker, latency, last error and last check of every deployment, as this process sees them.',
      query: z.object({ model: z.string().optional() }),
      response: z.object({ deployments: z.array(stateOutput) }),
      run: ({ query }) => ({
        deployments: [...plane.snapshot().deployments.values()]
          .filter(({ group }) => query.model === undefined || group === query.model)
          .map((deployment) => {
            const check = plane.healthChecks.latest(deployment.id);
            return { ...stateOf(plane, deployment), last_check: check === null ? null : shownCheck(check) };
          }),
      }),
    }),
    endpoint('GET /health/latest', {
      ...reader,
      summary: 'The last check of every deployment that was checked.',
      response: z.object({ latest_health_checks: z.record(z.string(), checkOutput), total_models: z.number() }),
      run() {
        const checks = [...plane.snapshot().deployments.keys()].flatMap((id) => plane.healthChecks.latest(id) ?? []);
        return {
          latest_health_checks: Object.fromEntries(checks.map((check) => [check.deployment.id, shownCheck(check)])),
          total_models: checks.length,
        };
      },
    }),
    endpoint('GET /health/history', {
      ...reader,
      summary: 'Checks of this process, newest first.',
      query: z.object({
        model: z.string().optional(),
        status_filter: z.enum(['healthy', 'unhealthy']).optional(),
        limit: z.coerce.number().int().min(1).max(1_000).default(100),
        offset: z.coerce.number().int().min(0).max(100_000).default(0),
      }),
      response: z.object({
        health_checks: z.array(checkOutput),
        total_records: z.number(),
        limit: z.number(),
        offset: z.number(),
      }),
      run({ query }) {
        const found = plane.healthChecks.history.filter(
          ({ deployment, healthy }) =>
            (query.model === undefined || deployment.group === query.model) &&
            (query.status_filter === undefined || healthy === (query.status_filter === 'healthy')),
        );
        return {
          health_checks: found.slice(query.offset, query.offset + query.limit).map(shownCheck),
          total_records: found.length,
          limit: query.limit,
          offset: query.offset,
        };
      },
    }),
    endpoint('GET /health/shared-status', {
      ...reader,
      summary: 'Whether replicas share their checks.',
      response: z.object({ shared_health_check_enabled: z.boolean(), background_health_checks: z.boolean() }),
      run: () => ({
        shared_health_check_enabled: plane.healthChecks.isShared,
        background_health_checks: plane.healthChecks.enabled,
      }),
    }),
    endpoint('GET /health/license', {
      ...reader,
      summary: 'Nothing is locked.',
      response: z.object({
        has_license: z.boolean(),
        license_type: z.string(),
        expiration_date: text,
        allowed_features: z.array(z.string()),
        limits: z.record(z.string(), z.unknown()),
      }),
      run: () => ({
        has_license: true,
        license_type: 'Apache-2.0',
        expiration_date: null,
        allowed_features: ['all'],
        limits: {},
      }),
    }),
    endpoint('POST /health/test_connection', {
      access: 'admin',
      tag,
      summary: 'Call a deployment that is not kept yet, with a few tokens.',
      body: z.object({ mode: z.string().nullish(), litellm_params: tree, model_info: tree.nullish() }),
      response: z.object({
        status: z.enum(['success', 'error']),
        result: z.object({ error: text, response_time_ms: z.number(), http_status: figure }),
      }),
      async run({ body }) {
        const entry = {
          model_name: 'test-connection',
          litellm_params: body.litellm_params,
          model_info: { ...body.model_info, ...(body.mode ? { mode: body.mode } : {}) },
        };
        const fault = plane.modelFault(entry);
        if (fault !== null) throw new GatewayError('malformed_request', fault, { param: 'litellm_params' });
        const result = await plane.probeEntry(entry);
        return {
          status: result.healthy ? 'success' : 'error',
          result: { error: result.error, response_time_ms: result.durationMs, http_status: result.status },
        };
      },
    }),
  ];
}

function stateOf(plane: ControlPlane, deployment: Deployment) {
  const now = plane.clock.now();
  const condition = plane.condition(deployment);
  const cooling = condition.coolingDownUntil !== null && condition.coolingDownUntil > now;
  const failedLast =
    condition.lastError !== null &&
    (condition.lastSuccessAt === null || condition.lastError.at > condition.lastSuccessAt);
  const check = plane.healthChecks.latest(deployment.id);
  const suspended = plane.suspended.get(deployment.id);
  const [state, reason]: [(typeof states)[number], string | null] =
    deployment.unusable !== null
      ? ['unusable', deployment.unusable]
      : deployment.blocked
        ? ['blocked', 'blocked by an administrator']
        : cooling
          ? ['cooling_down', condition.lastError?.reason ?? 'failed too often']
          : failedLast
            ? ['degraded', `last request failed: ${condition.lastError?.reason ?? 'unknown'}`]
            : check?.healthy === false
              ? ['degraded', `last check failed: ${check.error ?? 'unknown'}`]
              : ['healthy', null];
  return {
    id: deployment.id,
    model: deployment.group,
    provider: deployment.provider.id,
    upstream_model: deployment.model,
    state,
    reason,
    cooling_down_until: cooling ? isoTime(condition.coolingDownUntil) : null,
    in_flight: condition.inFlight,
    requests_this_minute: condition.requestsThisMinute,
    failures_this_minute: condition.failuresThisMinute,
    ms_per_output_token: condition.msPerOutputToken,
    first_token_ms: condition.firstTokenMs,
    last_success_at: isoTime(condition.lastSuccessAt),
    suspended:
      suspended === null
        ? null
        : {
            at: isoTime(suspended.at),
            request_id: suspended.requestId,
            bound: dollarsFromNanodollars(suspended.bound),
            cost: dollarsFromNanodollars(suspended.cost),
          },
    last_error:
      condition.lastError === null
        ? null
        : {
            at: isoTime(condition.lastError.at),
            status: condition.lastError.status,
            message: condition.lastError.message,
          },
  };
}

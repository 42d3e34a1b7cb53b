import { z } from 'zod';
import { seesEverything } from '../../admin/actor.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { Answer, endpoint } from '../../admin/contract.ts';
import type { ControlPlane, ProbeResult } from '../../admin/control-plane.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Deployment } from '../../core/route.ts';

const tag = 'health';
const probesAtOnceMax = 8;

const healthOutput = z.object({
  healthy_endpoints: z.array(z.record(z.string(), z.unknown())),
  unhealthy_endpoints: z.array(z.record(z.string(), z.unknown())),
  healthy_count: z.number(),
  unhealthy_count: z.number(),
});

export function healthEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /health', {
      access: 'public',
      group: 'info_routes',
      tag,
      summary:
        'State of every model. Without an administrator key: what is known already, no addresses, no calls. With one: every deployment is called, or was by background checks.',
      query: z.object({ model: z.string().optional(), model_id: z.string().optional() }),
      response: healthOutput,
      async run({ actor, signedIn, query }) {
        const deployments = [...plane.snapshot().deployments.values()].filter(
          (deployment) =>
            (query.model === undefined || deployment.group === query.model || deployment.model === query.model) &&
            (query.model_id === undefined || deployment.id === query.model_id),
        );
        if (query.model_id !== undefined && deployments.length === 0 && signedIn)
          throw new GatewayError('not_found', `No deployment with id ${query.model_id.slice(0, 128)}.`, {
            param: 'model_id',
          });
        if (!signedIn || !seesEverything(actor)) return knownHealth(plane, deployments);
        return probedHealth(plane, deployments);
      },
    }),
    endpoint('GET /health/liveliness', {
      aliases: ['/health/liveness'],
      access: 'public',
      group: 'info_routes',
      tag,
      summary: 'Whether the program runs.',
      response: z.string(),
      run: () => "I'm alive!",
    }),
    endpoint('GET /health/readiness', {
      access: 'public',
      group: 'info_routes',
      tag,
      summary: 'Whether requests can be served: 503 while the store is away or the gateway is stopping.',
      response: z.object({
        status: z.string(),
        db: z.string(),
        cache: z.string().nullable(),
        litellm_version: z.string(),
        success_callbacks: z.array(z.string()),
        last_updated: z.string(),
      }),
      async run() {
        const connected = await plane.store.ping().then(
          () => true,
          () => false,
        );
        const stays = plane.isReady();
        const ready = stays && (connected || plane.settings.requestsAllowedWithoutStore);
        const { cache } = plane.snapshot().settings;
        return new Answer(ready ? 200 : 503, {
          status: ready ? 'healthy' : stays ? 'unhealthy' : 'stopping',
          db: connected ? 'connected' : 'Not connected',
          cache: cache === null ? null : plane.cache.type,
          litellm_version: plane.version,
          success_callbacks: plane.settings.successCallbacks,
          last_updated: new Date(plane.clock.now()).toISOString(),
        });
      },
    }),
    endpoint('GET /health/backlog', {
      access: 'public',
      group: 'info_routes',
      tag,
      summary: 'Requests being answered now.',
      response: z.object({ in_flight_requests: z.number() }),
      run: () => ({ in_flight_requests: plane.inFlight() }),
    }),
    endpoint('GET /health/services', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'State of a service: the store (db), the cache (redis), or a callback; without a name all of them.',
      query: z.object({ service: z.string().optional() }),
      response: z.object({
        status: z.string(),
        message: z.string(),
        services: z.array(z.object({ service: z.string(), status: z.string() })).optional(),
      }),
      async run({ query }) {
        const own = await ownServices(plane);
        if (query.service === undefined) {
          const callbacks = plane.settings.successCallbacks.map((service) => ({ service, status: 'configured' }));
          const failing = own.filter(({ status }) => status !== 'healthy').map(({ service }) => service);
          const message = failing.length === 0 ? 'Everything answers.' : `Not answering: ${failing.join(', ')}.`;
          return { status: failing.length === 0 ? 'success' : 'error', message, services: [...own, ...callbacks] };
        }
        const mine = own.find(({ service }) => service === query.service);
        if (mine !== undefined) {
          const isHealthy = mine.status === 'healthy';
          return { status: isHealthy ? 'success' : 'error', message: `${mine.service} is ${mine.status}.` };
        }
        const known = plane.settings.successCallbacks.includes(query.service);
        if (!known)
          throw new GatewayError(
            'malformed_request',
            `Service '${query.service.slice(0, 64)}' is not configured as a callback.`,
            {
              param: 'service',
            },
          );
        return { status: 'success', message: `${query.service} is configured.` };
      },
    }),
  ];
}

async function ownServices(plane: ControlPlane): Promise<{ service: string; status: string }[]> {
  const answers = (asked: Promise<unknown>) =>
    asked.then(
      () => 'healthy',
      () => 'not answering',
    );
  const found = [{ service: 'db', status: await answers(plane.store.ping()) }];
  if (plane.cache.serverFacts !== undefined) {
    found.push({ service: 'redis', status: await answers(plane.cache.serverFacts()) });
  }
  return found;
}

/** From what requests have shown: nothing is sent, nothing is told but names and states. */
function knownHealth(plane: ControlPlane, deployments: readonly Deployment[]) {
  const now = plane.clock.now();
  const healthy = [];
  const unhealthy = [];
  for (const deployment of deployments) {
    const entry = { model: deployment.group, model_id: deployment.id };
    const error = knownTrouble(plane, deployment, now);
    if (error === null) healthy.push(entry);
    else unhealthy.push({ ...entry, error });
  }
  return counted(healthy, unhealthy);
}

function knownTrouble(plane: ControlPlane, deployment: Deployment, now: number): string | null {
  if (deployment.unusable !== null) return 'not usable as configured';
  if (deployment.blocked) return 'blocked by an administrator';
  const { coolingDownUntil, lastError, lastSuccessAt } = plane.condition(deployment);
  const cooling = coolingDownUntil !== null && coolingDownUntil > now;
  const check = plane.healthChecks.enabled ? plane.healthChecks.latest(deployment.id) : null;
  if (check !== null && !check.healthy && !cooling && check.at > (lastSuccessAt ?? 0)) return 'last check failed';
  const failedLast = lastError !== null && (lastSuccessAt === null || lastError.at > lastSuccessAt);
  if (!cooling && !failedLast) return null;
  if (lastError === null) return 'cooling down after failures';
  return `${cooling ? 'cooling down' : 'last request failed'}: ${lastError.reason}`;
}

/** Calls every deployment, a few at a time. */
async function probedHealth(plane: ControlPlane, deployments: readonly Deployment[]) {
  const healthy: Record<string, unknown>[] = [];
  const unhealthy: Record<string, unknown>[] = [];
  const entries = new Map<string, { entry: Record<string, unknown>; error: string | null }>();
  const waiting = [...deployments];
  const work = async () => {
    for (let deployment = waiting.shift(); deployment !== undefined; deployment = waiting.shift()) {
      entries.set(deployment.id, await probed(plane, deployment));
    }
  };
  await Promise.all(Array.from({ length: Math.min(probesAtOnceMax, deployments.length) }, work));
  for (const deployment of deployments) {
    const { entry, error } = entries.get(deployment.id)!;
    if (error === null) healthy.push(entry);
    else unhealthy.push({ ...entry, error });
  }
  return counted(healthy, unhealthy);
}

async function probed(plane: ControlPlane, deployment: Deployment) {
  const details = plane.settings.healthDetails
    ? { ...deployment.publicParams, model: fullName(deployment), api_base: deployment.apiBase }
    : { model: fullName(deployment) };
  const entry = { ...details, model_name: deployment.group, model_id: deployment.id };
  if (deployment.unusable !== null) return { entry, error: deployment.unusable };
  if (deployment.blocked) return { entry, error: 'blocked by an administrator' };
  const result = await checked(plane, deployment);
  const limits = Object.entries(result.headers).filter(([name]) => name.startsWith('x-ratelimit-remaining-'));
  return {
    entry: { ...entry, ...Object.fromEntries(limits) },
    error: result.healthy ? null : (result.error ?? 'failed'),
  };
}

/** With background checks what they found, else a check now. */
async function checked(plane: ControlPlane, deployment: Deployment): Promise<ProbeResult> {
  const known = plane.healthChecks.enabled ? plane.healthChecks.latest(deployment.id) : null;
  return known ?? plane.healthChecks.check(deployment);
}

function fullName(deployment: Deployment): string {
  return `${deployment.provider.id}/${deployment.model}`;
}

function counted(healthy: Record<string, unknown>[], unhealthy: Record<string, unknown>[]) {
  return {
    healthy_endpoints: healthy,
    unhealthy_endpoints: unhealthy,
    healthy_count: healthy.length,
    unhealthy_count: unhealthy.length,
  };
}

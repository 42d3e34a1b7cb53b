import { z } from 'zod';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { GatewayError } from '../../core/errors.ts';

const tag = 'cache';
const done = z.object({ status: z.literal('success') });

export function cacheEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /cache/ping', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Writes and reads one entry of the response cache.',
      response: z.object({
        status: z.string(),
        cache_type: z.string(),
        ping_response: z.boolean(),
        set_cache_response: z.string(),
        litellm_cache_params: z.record(z.string(), z.unknown()),
        health_check_cache_params: z.record(z.string(), z.unknown()),
      }),
      async run() {
        const settings = plane.snapshot().settings.cache;
        if (settings === null) throw pingFailed('Cache not initialized. litellm_settings.cache is not set.');
        const key = `ping:${plane.chance.id()}`;
        const found = await roundTrip(plane, key).catch(() => false);
        if (!found) throw pingFailed(`The ${plane.cache.type} cache does not give back what was written to it.`);
        return {
          status: 'healthy',
          cache_type: plane.cache.type,
          ping_response: true,
          set_cache_response: 'success',
          litellm_cache_params: { ttl: settings.ttlMs / 1_000, namespace: settings.namespace, scope: settings.scope },
          health_check_cache_params: {},
        };
      },
    }),
    endpoint('GET /cache/redis/info', {
      access: 'admin_read',
      tag,
      summary: 'What the Redis behind the response cache says of itself and of its clients.',
      response: z.object({
        num_clients: z.number(),
        clients: z.array(z.record(z.string(), z.string())),
        info: z.record(z.string(), z.string()),
      }),
      async run() {
        const facts = await plane.cache.serverFacts?.();
        if (facts === undefined) throw pingFailed(`Cached answers are kept in ${plane.cache.type}, not in Redis.`);
        return { num_clients: facts.clients.length, clients: [...facts.clients], info: { ...facts.info } };
      },
    }),
    endpoint('POST /cache/delete', {
      access: 'admin',
      tag,
      summary: 'Forget cached answers by their keys (`x-litellm-cache-key`).',
      body: z.object({ keys: z.array(z.string().max(1_024)).min(1).max(10_000) }),
      response: done,
      async run({ body }) {
        await plane.cache.delete(body.keys);
        return { status: 'success' };
      },
    }),
    endpoint('POST /cache/flushall', {
      access: 'admin',
      tag,
      summary: 'Forget every cached answer.',
      response: done,
      async run() {
        await plane.cache.clear();
        return { status: 'success' };
      },
    }),
  ];
}

async function roundTrip(plane: ControlPlane, key: string): Promise<boolean> {
  const storedAt = plane.clock.now();
  plane.cache.set(key, { body: new Uint8Array(), dialect: 'ping', modelUsed: null, storedAt }, 10_000);
  let isFound = false;
  // What is kept outside this process is written while nobody waits for it.
  for (let look = 0; look < looksMax && !isFound; look++) {
    if (look > 0) await new Promise<void>((resolve) => plane.clock.setTimer(lookMs, resolve));
    isFound = (await plane.cache.get(key)) !== undefined;
  }
  await plane.cache.delete([key]);
  return isFound;
}

const looksMax = 20;
const lookMs = 50;

function pingFailed(message: string): GatewayError {
  return new GatewayError('overloaded', message, { type: 'cache_ping_error' });
}

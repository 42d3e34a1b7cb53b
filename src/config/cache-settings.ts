import type { Operation } from '../core/operation.ts';
import type { CacheSettings } from '../core/route.ts';
import { gatewayDefaults } from './gateway-defaults.ts';
import { milliseconds } from './router.ts';
import type { Sections } from './schema/sections.ts';

const operationsByCallType: Readonly<Record<string, Operation>> = {
  completion: 'chat',
  acompletion: 'chat',
  text_completion: 'chat',
  atext_completion: 'chat',
  embedding: 'embedding',
  aembedding: 'embedding',
  rerank: 'rerank',
  arerank: 'rerank',
};

/** The response cache; null = nothing is kept. */
export function effectiveCache({
  router_settings: router = {},
  litellm_settings: litellm = {},
}: Sections): CacheSettings | null {
  if (!(litellm.cache ?? router.cache_responses ?? false)) return null;
  const params = litellm.cache_params ?? {};
  const types = params.supported_call_types;
  const operations = types?.flatMap((type) => operationsByCallType[type] ?? []) ?? (['chat', 'embedding'] as const);
  if (operations.length === 0) return null;
  const inRedis = params.type === undefined || params.type.startsWith('redis');
  const ttl = params.ttl ?? (inRedis ? params.default_in_redis_ttl : undefined) ?? params.default_in_memory_ttl;
  return Object.freeze({
    ttlMs: ttl === undefined ? gatewayDefaults.cacheTtlMs : milliseconds(ttl),
    namespace: params.namespace ?? '',
    byDefault: params.mode !== 'default_off',
    operations: [...new Set(operations)],
    bytesMax: params.max_bytes ?? gatewayDefaults.cacheBytesMax,
    scope: params.scope ?? 'team',
    sharedGroups: new Map(
      (router.caching_groups ?? []).flatMap((groups) => groups.map((group) => [group, groups.toSorted().join('|')])),
    ),
  });
}

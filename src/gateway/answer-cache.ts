import type { Admitted, CacheControls } from '../core/exchange.ts';
import type { CachedAnswer } from '../core/ports.ts';
import type { CacheSettings } from '../core/route.ts';
import { cacheKey } from './cache-key.ts';
import type { Gateway } from './gateway.ts';

/** What the response cache may do for one request. */
export interface CacheUse {
  readonly key: string;
  readonly read: boolean;
  /** Milliseconds an answer is kept; null when it must not be kept. */
  readonly ttlMs: number | null;
  readonly ageMaxMs: number | null;
}

/** The caller's controls, as far as its key may use them, over the operator's settings. null when there is no caching. */
export function cacheUse(exchange: Admitted): CacheUse | null {
  const { settings } = exchange.snapshot;
  const { cache } = settings;
  if (cache === null || !cache.operations.includes(exchange.operation)) return null;
  const controls = permitted(exchange.options.cache, exchange.principal.allowedCacheControls);
  if (!cache.byDefault && !controls.useCache) return null;
  if (controls.noCache && controls.noStore) return null;
  return {
    key: cacheKey(exchange, cache, controls.namespace),
    read: !controls.noCache,
    ttlMs: controls.noStore ? null : timeToLive(controls, cache),
    ageMaxMs: controls.ageMaxMs,
  };
}

/** The stored answer, unless it is older than the caller accepts. */
export async function cachedAnswer(gateway: Gateway, use: CacheUse): Promise<CachedAnswer | undefined> {
  if (!use.read) return undefined;
  const found = gateway.cache.get(use.key);
  const answer = found instanceof Promise ? await found : found;
  if (answer === undefined) return undefined;
  if (use.ageMaxMs !== null && gateway.clock.now() - answer.storedAt > use.ageMaxMs) return undefined;
  return answer;
}

function timeToLive(controls: CacheControls, cache: CacheSettings): number | null {
  const ttlMs = controls.ttlMs ?? cache.ttlMs;
  return ttlMs > 0 ? ttlMs : null;
}

/** An empty list allows everything; what is not allowed counts as not said. */
function permitted(asked: CacheControls, allowed: readonly string[]): CacheControls {
  if (allowed.length === 0) return asked;
  const may = (name: string): boolean => allowed.includes(name);
  return {
    noCache: asked.noCache && may('no-cache'),
    noStore: asked.noStore && may('no-store'),
    useCache: asked.useCache && may('use-cache'),
    ttlMs: may('ttl') ? asked.ttlMs : null,
    ageMaxMs: may('s-maxage') ? asked.ageMaxMs : null,
    namespace: may('namespace') ? asked.namespace : null,
  };
}

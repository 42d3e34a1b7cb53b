import type { BodyEdits } from '../../core/dialect.ts';
import type { CacheControls, CacheHit, CacheLookUp, Planned } from '../../core/exchange.ts';
import { isJsonObject } from '../../core/json.ts';
import { editMembers } from '../../core/json-members.ts';
import type { CachedAnswer } from '../../core/ports.ts';
import type { CacheSettings } from '../../core/route.ts';
import { noUsage } from '../../core/usage.ts';
import { answerOptions } from '../call/translate.ts';
import type { Gateway } from '../gateway.ts';
import { replayedStream } from '../streams/replay.ts';
import { cacheKey } from './cache-key.ts';

/** What the response cache may do for one request. */
export interface CacheUse {
  readonly key: string;
  readonly read: boolean;
  /** Milliseconds an answer is kept; null when it must not be kept. */
  readonly ttlMs: number | null;
  readonly ageMaxMs: number | null;
}

/** The caller's controls, as far as its key may use them, over the operator's settings. null when there is no caching. */
export function cacheUse(exchange: Planned): CacheUse | null {
  const { settings } = exchange.snapshot;
  const { cache } = settings;
  if (cache === null || !cache.operations.includes(exchange.operation)) return null;
  // What a server of the caller's choice answers is nobody else's, and is refused whether or not somebody asked before.
  if (Object.keys(exchange.options.connection).length > 0) return null;
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

/** What is kept for this request, unless it is older than the caller accepts or cannot be told again. */
export async function lookUp(gateway: Gateway, exchange: Planned, use: CacheUse): Promise<CacheLookUp> {
  const { key, ttlMs } = use;
  if (!use.read) return { key, ttlMs, hit: null, askedTick: 0, toldTick: 0 };
  const askedTick = gateway.clock.tick();
  const found = gateway.cache.get(key);
  const answer = found instanceof Promise ? await found : found;
  const tooOld = answer !== undefined && use.ageMaxMs !== null && gateway.clock.now() - answer.storedAt > use.ageMaxMs;
  const hit = answer === undefined || tooOld ? null : toldAgain(exchange, answer);
  return { key, ttlMs, hit, askedTick, toldTick: gateway.clock.tick() };
}

/** null when what was stored cannot be told again; the request then goes on as if nothing had been. */
function toldAgain(exchange: Planned, { body: bytes, modelUsed }: CachedAnswer): CacheHit | null {
  const { dialect, facts } = exchange;
  const stored = Buffer.from(bytes);
  try {
    const body: unknown = JSON.parse(stored.toString());
    if (!isJsonObject(body)) return null;
    const { usage, finishReason } = dialect.response.read(body);
    const options = answerOptions(exchange, false);
    const told = facts.stream
      ? replayedStream(dialect, dialect.response.decode(body), options)
      : editMembers(stored, dialect.response.restamp?.(body, options) ?? noEdits);
    return { stored, told, usage: usage ?? noUsage, finishReason, modelUsed };
  } catch {
    return null;
  }
}

const noEdits: BodyEdits = new Map();

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

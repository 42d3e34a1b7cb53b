import { hash } from 'node:crypto';
import type { Identified } from '../../core/exchange.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Affinity, Deployment } from '../../core/route.ts';

/* Requests that belong together go to the same deployment, as long as it is there and well. */

/** What a request is held together with others by: its cached prompt, its session, its key; null = nothing. */
export function affinityOf(
  { body, options, principal }: Pick<Identified, 'body' | 'options' | 'principal'>,
  affinities: readonly Affinity[],
): string | null {
  if (affinities.includes('prompt')) {
    const prefix = cachedPrefix(body);
    if (prefix !== null) return prefix;
  }
  if (affinities.includes('session') && options.sessionId !== null) return `session ${options.sessionId}`;
  return affinities.includes('key') ? `key ${principal.keyId}` : null;
}

/**
 * Each replica finds the same one without asking: the highest of the hashes of both names. When a deployment goes, only what
 * it had moves on; when it is back, that comes back.
 */
export function heldTogether(candidates: readonly Deployment[], affinity: string): Deployment {
  let chosen = candidates[0]!;
  let highest = '';
  for (const candidate of candidates) {
    const rank = hash('sha256', `${affinity}|${candidate.id}`, 'hex');
    if (rank <= highest) continue;
    highest = rank;
    chosen = candidate;
  }
  return chosen;
}

/** The prompt up to its last cache mark; null where nothing is marked. */
function cachedPrefix({ system, tools, messages }: JsonObject): string | null {
  const parts = [tools, system, ...(Array.isArray(messages) ? messages : [])];
  const last = parts.findLastIndex((part) => part !== undefined && isMarked(part));
  return last === -1 ? null : `prompt ${hash('sha256', JSON.stringify(parts.slice(0, last + 1)), 'hex')}`;
}

function isMarked(value: Json, depth = 0): boolean {
  if (depth > 6) return false;
  if (Array.isArray(value)) return value.some((item) => isMarked(item, depth + 1));
  if (!isJsonObject(value)) return false;
  if (isJsonObject(value.cache_control)) return true;
  return isMarked(value.content ?? null, depth + 1);
}

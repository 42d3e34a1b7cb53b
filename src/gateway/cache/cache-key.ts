import { createHash } from 'node:crypto';
import type { Planned } from '../../core/exchange.ts';
import type { CacheSettings } from '../../core/route.ts';
import { fieldsToStrip } from '../receive/gateway-fields.ts';

/** How the answer is delivered, not what it says. */
const delivery: ReadonlySet<string> = new Set(['model', 'stream', 'stream_options']);

/**
 * SHA-256 over everything that decides the answer and over who may share it: tenant, namespace, model group, wire
 * format, and the caller's members in the order of their names. The same answer serves streams and whole answers.
 */
export function cacheKey(exchange: Planned, settings: CacheSettings, ownNamespace: string | null): string {
  const namespace = ownNamespace ?? settings.namespace;
  const hash = createHash('sha256');
  const { name: dialect, variantOf } = exchange.dialect;
  const group = settings.sharedGroups?.get(exchange.model) ?? exchange.model;
  const scope = [tenant(exchange, settings), namespace, group, variantOf ?? dialect, exchange.operation];
  hash.update(JSON.stringify(scope));
  const { body } = exchange;
  const gatewayOnly = fieldsToStrip(body, exchange.dialect.name);
  for (const name of Object.keys(body).sort()) {
    if (gatewayOnly.has(name) || delivery.has(name)) continue;
    hash.update(JSON.stringify(name));
    hash.update(JSON.stringify(body[name]) ?? '');
  }
  const digest = hash.digest('hex');
  return namespace === '' ? digest : `${namespace}:${digest}`;
}

function tenant(exchange: Planned, settings: CacheSettings): readonly string[] {
  const { principal } = exchange;
  switch (settings.scope) {
    case 'global':
      return ['global'];
    case 'team':
      return principal.teamId === null ? ['key', principal.keyId] : ['team', principal.teamId];
    case 'key':
      return ['key', principal.keyId];
  }
}

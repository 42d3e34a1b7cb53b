import type { ErrorCode, GatewayError } from '../../core/errors.ts';
import type { Admitted } from '../../core/exchange.ts';
import { type FallbackLists, fallbacksOf } from '../plan.ts';

/** Failures that another model cannot make good: the caller's own, and the gateway's. */
const final: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'malformed_request',
  'client_credentials_refused',
  'internal',
  'budget_exceeded',
  'budget_store_unavailable',
  'shutting_down',
]);

/** The groups to try after `group` failed like this, in order. */
export function fallbacksFor(exchange: Admitted, group: string, error: GatewayError): readonly string[] {
  if (exchange.options.fallbacksDisabled || final.has(error.code)) return [];
  const lists = listsOf(exchange, group);
  const own = ownList(lists, error);
  return own.length > 0 ? own : lists.fallbacks;
}

/** Is there a list for exactly this kind of failure (context window, content policy)? */
export function hasOwnFallbacks(exchange: Admitted, group: string, error: GatewayError): boolean {
  return !exchange.options.fallbacksDisabled && ownList(listsOf(exchange, group), error).length > 0;
}

function listsOf(exchange: Admitted, group: string): FallbackLists {
  return group === exchange.route.primary.name ? exchange.route : fallbacksOf(exchange, group);
}

function ownList(lists: FallbackLists, error: GatewayError): readonly string[] {
  if (error.code === 'context_window_exceeded') return lists.contextWindowFallbacks;
  if (error.code === 'content_policy_violation') return lists.contentPolicyFallbacks;
  return [];
}

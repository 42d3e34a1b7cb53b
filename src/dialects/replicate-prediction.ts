import type { FollowUp } from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';

/* A prediction, whatever it makes: begun by one call, waited for, and asked after while it runs. */

export function predictionFollowUp({ status, id }: JsonObject, { path }: { readonly path: string }): FollowUp | null {
  if (typeof id !== 'string' || (status !== 'starting' && status !== 'processing')) return null;
  const predictions = path.replace(/\/models\/.*$/, '/predictions');
  return { method: 'GET', path: `${predictions}/${encodeURIComponent(id)}`, body: null, afterMs: 1_000 };
}

export function predictionOutput({ status, error, output }: JsonObject): Json[] {
  if (status === 'failed' || status === 'canceled' || status === 'aborted') {
    throw new GatewayError('upstream_error', typeof error === 'string' ? error : `The prediction was ${status}.`);
  }
  if (output === undefined || output === null) {
    throw new GatewayError('upstream_timeout', 'The prediction was not finished in the time that is waited for it.');
  }
  return Array.isArray(output) ? output : [output];
}

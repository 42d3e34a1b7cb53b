import type { ClientPresence } from '../core/exchange.ts';
import { isJsonObject } from '../core/json.ts';
import { healthCheckTag } from '../core/request-record.ts';
import type { Deployment } from '../core/route.ts';
import type { Secret } from '../core/secret.ts';
import type { Gateway } from './gateway.ts';
import { matchRoute } from './operations.ts';
import { serve } from './pipeline.ts';

export interface Probe {
  readonly healthy: boolean;
  /** What went wrong, safe to show. */
  readonly error: string | null;
  readonly status: number | null;
  readonly durationMs: number;
  /** The provider's own rate-limit headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

const timeoutSecondsDefault = 15;
const maxTokensDefault = 5;

/**
 * Asks one deployment for a few tokens. The probe takes the same way as every request, under the master key, so that
 * what it costs is in the books and what it shows is what a caller would see.
 */
export async function probe(gateway: Gateway, deployment: Deployment, masterKey: Secret | null): Promise<Probe> {
  const startedTick = gateway.clock.tick();
  const done = (error: string | null, status: number | null, headers: Record<string, string> = {}): Probe => ({
    healthy: error === null,
    error,
    status,
    durationMs: Math.round(gateway.clock.tick() - startedTick),
    headers,
  });
  if (deployment.unusable !== null) return done(deployment.unusable, null);

  const { health_check_model, health_check_timeout, health_check_max_tokens } = deployment.modelInfo;
  // A pattern is no model: which of its models is called, the operator says.
  const model = typeof health_check_model === 'string' ? health_check_model : deployment.id;
  if (deployment.group.includes('*') && model === deployment.id) {
    return done('not checked: a wildcard needs model_info.health_check_model', null);
  }
  const timeoutSeconds = typeof health_check_timeout === 'number' ? health_check_timeout : timeoutSecondsDefault;
  const maxTokens = typeof health_check_max_tokens === 'number' ? health_check_max_tokens : maxTokensDefault;
  const isChat = deployment.operations.includes('chat');
  const path = isChat ? '/v1/chat/completions' : '/v1/embeddings';
  const matched = matchRoute(path);
  if (matched === undefined) return done('this deployment serves no operation that can be probed', null);
  const body = isChat
    ? { model, max_tokens: maxTokens, messages: [{ role: 'user', content: 'test' }] }
    : { model, input: 'test' };
  const reply = await serve(gateway, {
    matched,
    path,
    query: '',
    headers: {
      ...(masterKey !== null && { authorization: `Bearer ${masterKey.reveal()}` }),
      'x-litellm-tags': healthCheckTag,
      'x-litellm-timeout': String(timeoutSeconds),
      'x-litellm-num-retries': '0',
    },
    bytes: Buffer.from(
      JSON.stringify({ ...body, disable_fallbacks: true, cache: { 'no-cache': true, 'no-store': true } }),
    ),
    clientAddress: null,
    client: alwaysThere,
    arrivedTick: gateway.clock.tick(),
  });
  if (!(reply.body instanceof Uint8Array)) {
    reply.body.cancel();
    return done('the probe was answered with a stream', reply.status);
  }
  const headers = rateLimitHeaders(reply.origin.providerHeaders ?? {});
  return done(reply.status < 400 ? null : errorMessage(reply.body, reply.status), reply.status, headers);
}

const alwaysThere: ClientPresence = Object.freeze({ gone: false, onGone() {} });

function errorMessage(body: Uint8Array, status: number): string {
  const parsed: unknown = JSON.parse(Buffer.from(body).toString());
  const error = isJsonObject(parsed) ? parsed.error : undefined;
  return isJsonObject(error) && typeof error.message === 'string' ? error.message : `status ${status}`;
}

function rateLimitHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-ratelimit-') && typeof value === 'string') found[name] = value;
  }
  return found;
}

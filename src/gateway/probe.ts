import type { ClientPresence } from '../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Operation } from '../core/operation.ts';
import { healthCheckTag } from '../core/request-record.ts';
import type { Deployment } from '../core/route.ts';
import type { Secret } from '../core/secret.ts';
import type { Gateway } from './gateway.ts';
import { matchRoute } from './operations.ts';
import { serve } from './pipeline.ts';
import { readOut } from './streams/read-out.ts';

export interface Probe {
  readonly healthy: boolean;
  /** False where nothing could be asked, so that nothing is known. */
  readonly asked: boolean;
  /** What went wrong, safe to show. */
  readonly error: string | null;
  readonly status: number | null;
  readonly durationMs: number;
  /** The provider's own rate-limit headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

const timeoutSecondsDefault = 15;
const maxTokensDefault = 5;

/** What is asked of each kind of deployment: little, and the same every time. */
const questions: Partial<Record<Operation, { readonly path: string; readonly body: JsonObject }>> = {
  chat: { path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: 'test' }] } },
  embedding: { path: '/v1/embeddings', body: { input: 'test' } },
  rerank: { path: '/v1/rerank', body: { query: 'test', documents: ['test'] } },
  moderation: { path: '/v1/moderations', body: { input: 'test' } },
  speech: { path: '/v1/audio/speech', body: { input: 'test', voice: 'alloy' } },
  image: { path: '/v1/images/generations', body: { prompt: 'test', n: 1 } },
};

/**
 * Asks one deployment for little. The probe takes the same way as every request, under the master key, so that
 * what it costs is in the books and what it shows is what a caller would see.
 */
export async function probe(gateway: Gateway, deployment: Deployment, masterKey: Secret | null): Promise<Probe> {
  const startedTick = gateway.clock.tick();
  const notAsked = (error: string): Probe => ({
    healthy: false,
    asked: false,
    error,
    status: null,
    durationMs: 0,
    headers: {},
  });
  const done = (error: string | null, status: number | null, headers: Record<string, string> = {}): Probe => ({
    healthy: error === null,
    asked: true,
    error,
    status,
    durationMs: Math.round(gateway.clock.tick() - startedTick),
    headers,
  });
  if (deployment.unusable !== null) return notAsked(deployment.unusable);

  const { health_check_model, health_check_timeout, health_check_max_tokens, health_check_voice } =
    deployment.modelInfo;
  // A pattern is no model: which of its models is called, the operator says.
  const model = typeof health_check_model === 'string' ? health_check_model : deployment.id;
  if (deployment.group.includes('*') && model === deployment.id) {
    return notAsked('not checked: a wildcard needs model_info.health_check_model');
  }
  const operation = deployment.operations.find((one) => questions[one] !== undefined);
  const question = operation === undefined ? undefined : questions[operation];
  const matched = question === undefined ? undefined : matchRoute(question.path);
  if (question === undefined || matched === undefined) {
    return notAsked(`not checked: there is no short question for ${deployment.operations.join(', ') || 'its mode'}`);
  }
  const { path } = question;
  const timeoutSeconds = typeof health_check_timeout === 'number' ? health_check_timeout : timeoutSecondsDefault;
  const maxTokens = typeof health_check_max_tokens === 'number' ? health_check_max_tokens : maxTokensDefault;
  const body = {
    model,
    ...question.body,
    ...(operation === 'chat' && { max_tokens: maxTokens }),
    ...(operation === 'speech' && typeof health_check_voice === 'string' && { voice: health_check_voice }),
  };
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
    readOut(reply.body);
    const { error } = await reply.outcome;
    return done(error === null ? null : error.message, reply.status);
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

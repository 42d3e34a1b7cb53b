import type { AnswerOptions, BodyEdits, CallsAside, Dialect, EncodeOptions } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Admitted, Askable, Planned } from '../../core/exchange.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { editMembers } from '../../core/json-members.ts';
import type { NeutralRequest } from '../../core/neutral.ts';
import type { DialectName } from '../../core/operation.ts';
import type { ProviderEndpoint } from '../../core/provider.ts';
import type { Deployment } from '../../core/route.ts';
import { attemptSpan, traceparentOf } from '../../core/trace-context.ts';
import type { Gateway } from '../gateway.ts';
import { fieldsToStrip } from '../receive/gateway-fields.ts';
import { encodedRequest } from './allowed-params.ts';
import { checkMedia } from './check-media.ts';
import { bringIn, mediaByAddress } from './inline-media.ts';
import { replaceHeader, withCallerHeaders } from './passed-headers.ts';

const maxOutputTokensDefault = 4_096;

/** Where an attempt goes: the deployment, the endpoint (the caller's own where that is allowed) and its words. */
export interface Target {
  readonly deployment: Deployment;
  readonly group: string;
  readonly endpoint: ProviderEndpoint;
  /** Upstream model name, stars filled. */
  readonly model: string;
  /** What the provider speaks, or the caller's variant of it. */
  readonly dialect: Dialect;
  /** Its name to the provider. */
  readonly speaks: DialectName;
  /** Fields of the caller's body that a fallback entry replaces. */
  readonly overrides: JsonObject | null;
  /** The text of a begun answer that the model goes on with. */
  readonly prefix?: string;
}

/** The provider's dialect: the caller's own where the provider has it, else the provider's best. */
export function dialectFor(gateway: Gateway, exchange: Askable, deployment: Deployment): Dialect {
  const chosen = spokenTo(exchange, deployment);
  if (chosen !== undefined && isCallers(exchange.dialect, chosen)) return exchange.dialect;
  const dialect = chosen === undefined ? undefined : gateway.dialects.get(chosen);
  if (dialect === undefined) {
    throw new GatewayError(
      'no_capable_deployment',
      `Deployment of ${deployment.group} cannot be asked for ${exchange.operation}: ${deployment.provider.name} does not offer it.`,
    );
  }
  return dialect;
}

/** What the provider calls the dialect that it is spoken to in: the caller's own may be a variant of it. */
export function spokenTo(exchange: Askable, deployment: Deployment): DialectName | undefined {
  const spoken = deployment.provider.dialects[exchange.operation];
  const { soleDialect, dialectInstead } = deployment.traits;
  // A model's one format for conversations says nothing about anything else.
  if (soleDialect !== undefined && spoken?.includes(soleDialect)) return soleDialect;
  const instead = dialectInstead?.[exchange.dialect.name];
  if (instead !== undefined && spoken?.includes(instead)) return instead;
  return spoken?.find((name) => isCallers(exchange.dialect, name)) ?? spoken?.[0];
}

function isCallers({ name, variantOf }: Dialect, spoken: DialectName): boolean {
  return spoken === name || spoken === variantOf;
}

/** Fills the stars of a wildcard deployment with what the public name matched. */
export function upstreamModel(deployment: Deployment, wildcardMatches: readonly string[] | null): string {
  if (wildcardMatches === null || !deployment.model.includes('*')) return deployment.model;
  let index = 0;
  return deployment.model.replace(/\*/g, () => wildcardMatches[Math.min(index++, wildcardMatches.length - 1)] ?? '*');
}

/**
 * The body for the provider. In one dialect the caller's bytes travel as sent but for the members that must change;
 * in two they go through the neutral form. What is named by address is brought in for a provider that takes bytes only.
 * Throws GatewayError for what cannot be said to this provider. `aside` does what its dialect prepares; null to leave that.
 */
export function requestBody(
  gateway: Gateway,
  exchange: Askable,
  target: Target,
  aside: CallsAside | null = null,
): Buffer | Promise<Buffer> {
  const options = encodeOptions(exchange, target);
  const body = target.overrides === null ? exchange.body : { ...exchange.body, ...target.overrides };
  if (target.prefix !== undefined) return continuationBody(gateway, exchange, target, options, body, target.prefix);
  if (exchange.facts.inputUnbounded && !options.traits.supportsImageUrls && exchange.operation === 'chat') {
    const request = decoded(exchange, body, options);
    const named = mediaByAddress(request);
    if (named.length > 0) {
      return bringIn(gateway, exchange, named).then(() =>
        encoded(exchange, target, encodedRequest(target.dialect, request, options, body), aside),
      );
    }
  }
  if (target.dialect === exchange.dialect) {
    const edits = exchange.dialect.passThrough(body, options);
    // The provider's own edits are made on top of these.
    const sent = edits.has('messages') ? { ...body, messages: edits.get('messages') as Json } : body;
    const own = providerEdits(exchange, target, sent);
    if (target.overrides === null && own === undefined) return editMembers(exchange.bytes, edits, exchange.body);
    const all = new Map([...Object.entries(target.overrides ?? {}), ...edits, ...(own ?? [])]);
    return editMembers(exchange.bytes, all, exchange.body);
  }
  return encoded(
    exchange,
    target,
    encodedRequest(target.dialect, decoded(exchange, body, options), options, body),
    aside,
  );
}

/** The request in the neutral form. */
function decoded(exchange: Askable, body: JsonObject, options: EncodeOptions): NeutralRequest {
  const request = exchange.dialect.request.decode(withoutFields(body, options.gatewayFields));
  request.stream = exchange.facts.stream;
  if (exchange.operation === 'chat') checkMedia(request);
  return request;
}

/** The request with the begun answer as its last message, for a model that goes on with it. */
async function continuationBody(
  gateway: Gateway,
  exchange: Askable,
  target: Target,
  options: EncodeOptions,
  body: JsonObject,
  prefix: string,
): Promise<Buffer> {
  const request = decoded(exchange, body, options);
  request.stream = true;
  if (!options.traits.supportsImageUrls) await bringIn(gateway, exchange, mediaByAddress(request));
  if (prefix === '') return written(exchange, target, target.dialect.request.encode(request, options));
  request.messages.push({ role: 'assistant', content: [{ type: 'text', text: prefix }] });
  const { lastMessage, body: members } = options.traits.continuation!;
  const told = target.dialect.request.encode(request, options);
  const messages = [...(told.messages as Json[])];
  messages.push({ ...(messages.pop() as JsonObject), ...lastMessage });
  return written(exchange, target, { ...told, messages, ...members });
}

function encoded(
  exchange: Askable,
  target: Target,
  body: JsonObject,
  aside: CallsAside | null,
): Buffer | Promise<Buffer> {
  const prepared = aside === null ? null : (target.dialect.prepare?.(body, aside) ?? null);
  if (prepared === null) return written(exchange, target, body);
  return prepared.then((ready) => written(exchange, target, ready));
}

function written(exchange: Askable, target: Target, body: JsonObject): Buffer {
  const own = providerEdits(exchange, target, body);
  if (own === undefined || own.size === 0) return Buffer.from(JSON.stringify(body));
  // Members that are undefined are not written.
  return Buffer.from(JSON.stringify(Object.fromEntries(new Map([...Object.entries(body), ...own]))));
}

function providerEdits({ facts, headers }: Askable, target: Target, body: JsonObject): BodyEdits | undefined {
  const { endpoint, speaks, model } = target;
  return endpoint.edits?.({ dialect: speaks, model, stream: facts.stream, body, headers });
}

export function withoutFields(body: JsonObject, fields: ReadonlySet<string>): JsonObject {
  // Not by assignment: a member called __proto__ would give the copy members that nobody has checked.
  return Object.fromEntries(Object.entries(body).filter(([name]) => !fields.has(name)));
}

export function encodeOptions(exchange: Askable, target: Target): EncodeOptions {
  const { deployment } = target;
  const { settings } = exchange.snapshot;
  return {
    model: target.model,
    dropParams: exchange.options.dropParams ?? (deployment.dropParams || settings.dropParams),
    additionalDropParams: deployment.additionalDropParams,
    allowedParams: both(deployment.allowedParams, exchange.options.allowedParams),
    modifyParams: settings.modifyParams,
    maxOutputTokensDefault: deployment.limits.outputTokensMax ?? maxOutputTokensDefault,
    maxOutputTokensClamp: exchange.clampedOutputTokens ?? undefined,
    defaults: deployment.defaults,
    extraBody: deployment.extraBody,
    gatewayFields: fieldsToStrip(exchange.body, exchange.dialect.name),
    usageInStream: deployment.provider.usageInStream,
    traits: deployment.traits,
    stream: exchange.facts.stream,
    isOwnFormat: target.dialect === exchange.dialect,
  };
}

function both(one: readonly string[], other: readonly string[]): readonly string[] {
  return other.length === 0 ? one : [...one, ...other];
}

const jsonRequest = ['content-type', 'application/json', 'accept-encoding', 'identity'] as const;
const baseHeaders = new WeakMap<ProviderEndpoint, readonly string[]>();

/** Headers for the provider, credential included; nothing of the caller's but what is named here. `attempts` went before. */
export function requestHeaders(exchange: Admitted, target: Target, attempts: number): readonly string[] {
  let base = baseHeaders.get(target.endpoint);
  if (base === undefined) {
    base = [...target.endpoint.headers, ...jsonRequest];
    baseHeaders.set(target.endpoint, base);
  }
  const { headers, trace } = exchange;
  let forwarded: string[] | null = null;
  const traceparent = trace === null ? headers.traceparent : traceparentOf(trace, attemptSpan + attempts);
  if (typeof traceparent === 'string') forwarded = [...base, 'traceparent', traceparent];
  const tracestate = trace === null ? headers.tracestate : trace.state;
  if (forwarded !== null && typeof tracestate === 'string') forwarded.push('tracestate', tracestate);
  if (target.speaks === 'anthropic-messages') {
    for (const name of ['anthropic-beta', 'anthropic-version']) {
      const value = headers[name];
      if (value === undefined) continue;
      forwarded ??= [...base];
      replaceHeader(forwarded, name, Array.isArray(value) ? value.join(',') : value);
    }
  }
  const passed = exchange.snapshot.settings.passedHeaders;
  if (passed) forwarded = withCallerHeaders(forwarded ?? [...base], exchange, target, passed);
  if (exchange.passThrough !== null) {
    forwarded ??= [...base];
    for (const [name, value] of Object.entries(headers)) {
      const goesOn = exchange.passThrough.target?.forwardsHeaders ? !keptHeaders.test(name) : passedHeaders.test(name);
      if (goesOn && typeof value === 'string' && !base.includes(name)) replaceHeader(forwarded, name, value);
    }
  }
  return forwarded ?? base;
}

/** What providers' own clients say in headers, but for credentials. */
const passedHeaders = /^(?:accept|anthropic-(?:version|beta)|openai-beta|x-goog-user-project)$/;

/** Of the connection, or credentials: never anybody else's business. */
const keptHeaders =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|cookie|authorization|proxy-.*|(?:x-|x-goog-)?api-key|x-litellm-.*|idempotency-key|traceparent|tracestate|forwarded|x-forwarded-.*|x-real-ip)$/;

/**
 * How the answer is told to the caller. After a fallback it keeps the name of the model that answered. `keptBy`: whose
 * account keeps it, where the provider does and the caller may go on from it.
 */
export function answerOptions(exchange: Planned, fellBack: boolean, keptBy: Deployment | null = null): AnswerOptions {
  const { recall } = exchange;
  const options: AnswerOptions = {
    model: fellBack ? undefined : (exchange.facts.model ?? exchange.model),
    usageInStream: exchange.facts.usageInStream || exchange.snapshot.settings.alwaysIncludeStreamUsage,
    requestId: exchange.id,
    createdAt: Math.floor(exchange.receivedAt / 1_000),
    request: recall === null ? exchange : { body: recall.asked },
  };
  return recall === null ? options : { ...options, answerId: recall.answerId(keptBy) };
}

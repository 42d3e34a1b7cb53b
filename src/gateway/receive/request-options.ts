import type { CacheControls, CallerHeaders, RequestOptions } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { DialectName } from '../../core/operation.ts';
import type { Snapshot } from '../../core/route.ts';
import { connectionFields, gatewayFields, isFormats } from './gateway-fields.ts';
import * as read from './option-values.ts';

const noCacheControls: CacheControls = Object.freeze({
  noCache: false,
  noStore: false,
  useCache: false,
  ttlMs: null,
  ageMaxMs: null,
  namespace: null,
});

const defaults: RequestOptions = Object.freeze({
  callId: null,
  tags: [],
  metadata: Object.freeze({}),
  sessionId: null,
  traceId: null,
  fallbacks: null,
  fallbacksDisabled: false,
  retries: null,
  timeoutMs: null,
  streamTimeoutMs: null,
  priority: null,
  cache: noCacheControls,
  mockResponse: null,
  mockFailure: null,
  noLog: false,
  redactsContent: false,
  mergesReasoning: null,
  sinksLeftOut: [],
  dropParams: null,
  allowedParams: [],
  endUser: null,
  connection: Object.freeze({}),
});

/** Claude Code names its session with every request. */
const claudeCodeSession = 'x-claude-code-session-id';

const noObject: JsonObject = Object.freeze({});

/**
 * What the caller asks of the gateway itself: gateway-only body fields and `x-litellm-*` headers, headers first. Throws
 * GatewayError('malformed_request') naming the field. Most requests ask for nothing and share one frozen value.
 */
export function readRequestOptions(
  body: JsonObject,
  headers: CallerHeaders,
  dialect: DialectName,
  start: { readonly callId: string | null; readonly snapshot: Snapshot },
): RequestOptions {
  const { endUserHeaders, tagHeaders } = start.snapshot.settings;
  if (!asksAnything(body, headers, endUserHeaders, tagHeaders) && start.callId === null) return defaults;
  const metadata = metadataOf(body, headers, dialect);
  const traceparent = read.header(headers, 'traceparent');
  return {
    callId: start.callId,
    tags: tagsOf(body, headers, metadata, tagHeaders),
    metadata,
    sessionId:
      read.header(headers, 'x-litellm-session-id') ??
      read.header(headers, claudeCodeSession) ??
      read.text(body, 'litellm_session_id') ??
      read.text(metadata, 'session_id', 'metadata.'),
    traceId:
      read.header(headers, 'x-litellm-trace-id') ??
      read.text(body, 'litellm_trace_id') ??
      read.text(metadata, 'trace_id', 'metadata.') ??
      /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1] ??
      null,
    fallbacks: read.fallbacks(body),
    fallbacksDisabled: read.flag(body, 'disable_fallbacks') ?? false,
    retries:
      read.headerCount(headers, 'x-litellm-num-retries') ??
      read.count(body, 'num_retries') ??
      read.count(body, 'max_retries'),
    priority: isFormats('priority', dialect) ? null : read.number(body, 'priority'),
    timeoutMs: read.headerSeconds(headers, 'x-litellm-timeout') ?? read.seconds(body, 'timeout'),
    streamTimeoutMs: read.headerSeconds(headers, 'x-litellm-stream-timeout') ?? read.seconds(body, 'stream_timeout'),
    cache: cacheControlsOf(body),
    mockResponse: read.text(body, 'mock_response'),
    mockFailure: mockFailureOf(body),
    noLog: read.flag(body, 'no-log') ?? false,
    redactsContent: /^true$/i.test(read.header(headers, 'x-litellm-enable-message-redaction') ?? ''),
    mergesReasoning: read.flag(body, 'merge_reasoning_content_in_choices'),
    sinksLeftOut: namesIn(read.header(headers, 'x-litellm-disable-callbacks')),
    dropParams: read.flag(body, 'drop_params'),
    allowedParams: read.texts(body, 'allowed_openai_params'),
    endUser:
      read.header(headers, 'x-litellm-customer-id') ??
      read.header(headers, 'x-litellm-end-user-id') ??
      firstHeader(headers, endUserHeaders),
    connection: connectionOf(body, dialect),
  };
}

function firstHeader(headers: CallerHeaders, names: readonly string[]): string | null {
  for (const name of names) {
    const value = read.header(headers, name);
    if (value !== null) return value;
  }
  return null;
}

function asksAnything(
  body: JsonObject,
  headers: CallerHeaders,
  endUserHeaders: readonly string[],
  tagHeaders: readonly string[],
): boolean {
  for (const name in body) if (gatewayFields.has(name)) return true;
  for (const name in headers) {
    if (name === claudeCodeSession) return true;
    if (name.startsWith('x-litellm-') || name === 'traceparent') return true;
    if (endUserHeaders.includes(name) || tagHeaders.includes(name)) return true;
  }
  return false;
}

/** `metadata` where the format leaves it to the gateway, `litellm_metadata` over it, and what headers add. */
function metadataOf(body: JsonObject, headers: CallerHeaders, dialect: DialectName): JsonObject {
  const own = isFormats('metadata', dialect) ? null : read.object(body, 'metadata');
  const over = read.object(body, 'litellm_metadata');
  const logged = read.headerObject(headers, 'x-litellm-spend-logs-metadata');
  if (over === null && logged === null) return own ?? noObject;
  return { ...own, ...over, ...(logged === null ? {} : { spend_logs_metadata: logged }) };
}

function tagsOf(
  body: JsonObject,
  headers: CallerHeaders,
  metadata: JsonObject,
  tagHeaders: readonly string[],
): readonly string[] {
  const fromHeader = read.header(headers, 'x-litellm-tags');
  return read.uniqueTags([
    ...read.texts(body, 'tags'),
    ...read.texts(metadata, 'tags', 'metadata.'),
    ...namesIn(fromHeader),
    ...tagHeaders.flatMap((name) => {
      const value = read.header(headers, name);
      return value === null ? [] : [`${name}: ${value}`];
    }),
  ]);
}

function namesIn(list: string | null): string[] {
  return list === null ? [] : list.split(',').map((name) => name.trim());
}

function cacheControlsOf(body: JsonObject): CacheControls {
  const controls = read.object(body, 'cache');
  const caching = read.flag(body, 'caching');
  if (controls === null && caching === null) return noCacheControls;
  const asked = controls ?? noObject;
  return {
    noCache: (read.flag(asked, 'no-cache', 'cache.') ?? false) || caching === false,
    noStore: (read.flag(asked, 'no-store', 'cache.') ?? false) || caching === false,
    useCache: (read.flag(asked, 'use-cache', 'cache.') ?? false) || caching === true,
    ttlMs: read.seconds(asked, 'ttl', 'cache.'),
    ageMaxMs: read.seconds(asked, 's-maxage', 'cache.') ?? read.seconds(asked, 's-max-age', 'cache.'),
    namespace: read.text(asked, 'namespace', 'cache.'),
  };
}

const drills = [
  ['mock_testing_fallbacks', 'fallbacks'],
  ['mock_testing_context_window_fallbacks', 'context_window'],
  ['mock_testing_content_policy_fallbacks', 'content_policy'],
  ['mock_testing_rate_limit_error', 'rate_limit'],
] as const;

function mockFailureOf(body: JsonObject): string | null {
  for (const [field, failure] of drills) if (read.flag(body, field) === true) return failure;
  return null;
}

function connectionOf(body: JsonObject, dialect: DialectName): Readonly<Record<string, string>> {
  let found: Record<string, string> | null = null;
  for (const field of connectionFields) {
    const value = body[field];
    if (value === undefined || value === null) continue;
    if (isFormats(field, dialect)) continue;
    found ??= {};
    found[field] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return found ?? defaults.connection;
}

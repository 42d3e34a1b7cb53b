import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Actor } from '../admin/actor.ts';
import { actorOf } from '../admin/actor.ts';
import type { Endpoint } from '../admin/contract.ts';
import { Answer } from '../admin/contract.ts';
import { admitActor } from '../admin/entry.ts';
import { errorBody } from '../compat/litellm/error-body.ts';
import type { Dialect } from '../core/dialect.ts';
import { asGatewayError, GatewayError } from '../core/errors.ts';
import { barePrincipal, type Principal } from '../core/identity.ts';
import type { DialectName } from '../core/operation.ts';
import type { Chance, Clock, Log } from '../core/ports.ts';
import type { Store } from '../core/store.ts';
import { ConflictError, StoreError } from '../core/store.ts';
import { listingDialect } from '../gateway/operations.ts';
import { ClientLeft } from './data-body.ts';
import { headersWithQueryKey } from './query-key.ts';
import { readJsonBody } from './request-body.ts';
import { pathOf } from './request-path.ts';
import { createRouteTable } from './route-table.ts';

export interface ControlOptions {
  readonly endpoints: readonly Endpoint[];
  readonly store: Store;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Who the credential in the headers belongs to. Throws GatewayError when there is none or it is not good. */
  authenticate(headers: IncomingHttpHeaders): Principal | Promise<Principal>;
  /** Throws GatewayError when barePrincipal at this address may call. */
  requireAddress?(address: string | null, headers: IncomingHttpHeaders): void;
  /** Throws GatewayError when the operator closed the path to virtual keys. */
  requireOpenRoute?(path: string, groups: readonly string[]): void;
  /** Whether the operator opened the path to callers without a key. */
  isOpenToAll?(path: string): boolean;
  bodyBytesMax(): number;
  /** In whose words errors are told at paths where clients of other formats come. */
  readonly dialects?: ReadonlyMap<DialectName, Dialect>;
}

export interface Control {
  /** Answers one request of the control plane; never throws, never rejects. */
  (request: IncomingMessage, response: ServerResponse): void;
  /** Whether the control plane knows this path. */
  has(path: string): boolean;
}

/** The control plane's door: one way in for every endpoint, so that none can forget a check. */
export function createControl(options: ControlOptions): Control {
  const table = createRouteTable(options.endpoints);

  async function answer(request: IncomingMessage, requestId: string): Promise<Answer> {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = pathOf(url);
    const { endpoint, params } = table.match(request.method ?? 'GET', path);
    if (endpoint.access !== 'public') options.requireAddress?.(request.socket.remoteAddress ?? null, request.headers);
    // Google's clients may write the key into the address.
    const headers = /^\/v1(?:beta)?\/models(?:\/|$)/.test(path)
      ? headersWithQueryKey(request.headers, mark === -1 ? '' : url.slice(mark + 1))
      : request.headers;
    const { actor, signedIn } = await identify(endpoint, headers, path);
    admitActor(actor, endpoint, path, options.requireOpenRoute);
    const body =
      endpoint.method === 'GET' ? undefined : await readJsonBody(request, options.bodyBytesMax(), options.clock);
    const call = {
      actor,
      signedIn,
      params,
      headers,
      body: endpoint.body === null ? undefined : checked(endpoint.body, body ?? {}, 'body'),
      query: endpoint.query === null ? undefined : checked(endpoint.query, queryOf(url, mark), 'query'),
    };
    const result = await endpoint.run(call);
    const given = result instanceof Answer ? result : new Answer(200, result);
    if (given.contentType !== null) return given;
    const shown = endpoint.response.safeParse(given.body);
    if (shown.success) return new Answer(given.status, shown.data);
    options.log.error('answer does not match its contract', {
      requestId,
      endpoint: `${endpoint.method} ${endpoint.path}`,
      issues: shown.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.code}`).join('; '),
    });
    throw asGatewayError(shown.error);
  }

  async function identify(
    endpoint: Endpoint,
    headers: IncomingHttpHeaders,
    path: string,
  ): Promise<{ actor: Actor; signedIn: boolean }> {
    const changedBy = headers['litellm-changed-by'];
    const named = typeof changedBy === 'string' ? changedBy : null;
    try {
      const principal = await options.authenticate(headers);
      return { actor: await actorOf(options.store, principal, named), signedIn: true };
    } catch (error) {
      const isOpen = endpoint.access === 'any_key' && options.isOpenToAll?.(path);
      if (endpoint.access !== 'public' && !isOpen) throw error;
      return { actor: await actorOf(options.store, barePrincipal, null), signedIn: false };
    }
  }

  const control = (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = options.chance.id();
    answer(request, requestId)
      .catch((cause: unknown) => {
        if (cause instanceof ClientLeft) throw cause;
        const error = toldError(cause);
        if (error.status >= 500)
          options.log.error('control plane request failed', { requestId, method: request.method, cause });
        const path = pathOf(request.url ?? '/');
        const dialect = listingDialect(path, request.headers);
        const errors = dialect && options.dialects?.get(dialect)?.errors;
        const body = errors === undefined ? errorBody(error) : errors.encode(error, requestId);
        return new Answer(error.status, body, null, error.details.headers);
      })
      .then((given) => write(request, response, given, requestId))
      .catch(() => response.destroy());
  };
  return Object.assign(control, { has: table.has });
}

const noAnswer = 'The database does not answer. Try again shortly.';
/** What somebody must put right before it helps to try again. The log has the rest. */
const storeMessages: Partial<Record<StoreError['fault'], string>> = {
  full: 'The database could not be written because its disk is full. Nothing was changed; free space on it and try again.',
  not_writable: 'The database takes no changes: it is read-only, or a standby. Nothing was changed.',
};

function toldError(cause: unknown): GatewayError {
  if (cause instanceof ConflictError)
    return new GatewayError('malformed_request', `Already exists: ${cause.message}`, { param: cause.column });
  if (cause instanceof StoreError) {
    const error = new GatewayError('budget_store_unavailable', storeMessages[cause.fault] ?? noAnswer, {
      retryAfterSeconds: 1,
      headers: { 'retry-after': '1' },
    });
    error.cause = cause;
    return error;
  }
  return asGatewayError(cause);
}

function checked(schema: z.ZodType, value: unknown, where: 'body' | 'query'): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => {
    const path = issue.path.join('.');
    return path === '' ? `${where}: ${issue.message}` : `${path}: ${issue.message}`;
  });
  throw new GatewayError('malformed_request', issues.slice(0, 5).join('; '), {
    status: 422,
    param: result.error.issues[0]?.path.join('.') || where,
  });
}

/** Repeated names become lists; names keep their text. */
function queryOf(url: string, mark: number): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null);
  if (mark === -1) return query;
  for (const [name, value] of new URLSearchParams(url.slice(mark + 1))) {
    const before = query[name];
    query[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return query;
}

function write(request: IncomingMessage, response: ServerResponse, given: Answer, requestId: string): void {
  const text = given.contentType === null ? JSON.stringify(given.body ?? null) : String(given.body);
  const bytes = Buffer.from(text);
  // Nobody wants the rest of a refused body; one that is too large runs out, so that its client reads the answer.
  if (!request.complete && given.status !== 413 && request.method !== 'GET' && request.method !== 'HEAD')
    response.setHeader('connection', 'close');
  response.writeHead(given.status, {
    'content-type': given.contentType ?? 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-litellm-call-id': requestId,
    ...given.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

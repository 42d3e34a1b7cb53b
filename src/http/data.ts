import type { IncomingMessage, ServerResponse } from 'node:http';
import { asGatewayError, GatewayError } from '../core/errors.ts';
import type { PassThrough, Reply } from '../core/exchange.ts';
import type { DialectName } from '../core/operation.ts';
import type { Upload } from '../core/upload.ts';
import type { Arrival } from '../gateway/arrival.ts';
import { credentialFirst } from '../gateway/authenticate.ts';
import { type FreeRoute, matchFree } from '../gateway/free/routes.ts';
import { serveFree } from '../gateway/free/serve.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { type MatchedRoute, matchRoute, strangePath } from '../gateway/operations.ts';
import { matchPassThrough } from '../gateway/pass-through/match.ts';
import { refuse } from '../gateway/pipeline.ts';
import { OpenClients } from './client-presence.ts';
import { ClientLeft, requestBody } from './data-body.ts';
import { boundaryOf, formUpload } from './form-upload.ts';
import { writeError } from './json-error.ts';
import { headersWithQueryKey, withoutKey } from './query-key.ts';
import { writeReply } from './reply-writer.ts';
import { queryOf } from './request-path.ts';

/** The journey of a request; never rejects for a fault of caller or provider. */
export type Serve = (gateway: Gateway, arrival: Arrival) => Promise<Reply>;

/** The data plane's door: the bytes in, the journey, the bytes out. */
export class DataDoor {
  readonly #gateway: Gateway;
  readonly #serve: Serve;
  readonly #clients = new OpenClients();

  constructor(gateway: Gateway, serve: Serve) {
    this.#gateway = gateway;
    this.#serve = serve;
  }

  /** False when the path is none of the data plane's. */
  take(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const query = queryOf(request.url ?? '');
    const matched = matchRoute(path, query);
    if (matched === undefined) {
      return this.#takeFree(request, response, path) || this.#takePassing(request, response, path, query);
    }
    if (request.method === 'POST') void this.#exchange(request, response, matched, path, query);
    else if (request.method === 'OPTIONS') return false;
    else {
      const error = new GatewayError('method_not_allowed', `${path} takes POST, not ${request.method}.`, {
        headers: { allow: 'POST' },
      });
      this.#refuse(response, error, matched.route.dialect);
    }
    return true;
  }

  /** Paths below a provider's name that nobody here knows. */
  #takePassing(request: IncomingMessage, response: ServerResponse, path: string, query: string): boolean {
    const matched = matchPassThrough(path, this.#gateway.snapshot());
    const method = request.method ?? '';
    if (matched === undefined || !isPassed(method)) return false;
    const contentType = request.headers['content-type'] ?? null;
    const passThrough = { ...matched.passThrough, query: withoutKey(query), method, contentType };
    void this.#exchange(request, response, matched, path, query, passThrough);
    return true;
  }

  /** Paths where nothing is bought. */
  #takeFree(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const matched = matchFree(path);
    if (matched === undefined || request.method === 'OPTIONS') return false;
    const route = matched.routes.find(({ method }) => method === request.method);
    if (route === undefined) {
      const allow = matched.routes.map(({ method }) => method).join(', ');
      const error = new GatewayError('method_not_allowed', `${path} takes ${allow}, not ${request.method}.`, {
        headers: { allow },
      });
      const dialect = this.#gateway.dialects.get(matched.routes[0]!.dialect);
      writeError(response, error, this.#gateway.chance.id(), dialect);
      return true;
    }
    void this.#answerFree(request, response, route, matched.params, path);
    return true;
  }

  async #answerFree(
    request: IncomingMessage,
    response: ServerResponse,
    route: FreeRoute,
    params: readonly string[],
    path: string,
  ): Promise<void> {
    const gateway = this.#gateway;
    try {
      const { bodyBytesMax } = gateway.snapshot().settings;
      const upload = route.form ? await readForm(request, wholeForm, bodyBytesMax) : undefined;
      const bytes = upload === undefined ? await requestBody(request, bodyBytesMax, gateway.clock) : noBytes;
      const query = queryOf(request.url ?? '');
      const { id, status, body, raw } = await serveFree(gateway, {
        route,
        params,
        path,
        query,
        headers: headersWithQueryKey(request.headers, query),
        address: request.socket.remoteAddress ?? null,
        bytes,
        ...(upload !== undefined && { upload }),
      });
      if (response.destroyed || response.headersSent) return;
      const text = raw?.bytes ?? JSON.stringify(body);
      response.writeHead(status, {
        'content-type': raw?.contentType ?? 'application/json',
        'content-length': Buffer.byteLength(text),
        'x-litellm-call-id': id,
      });
      response.end(text);
    } catch (cause) {
      if (cause instanceof ClientLeft) return;
      const error = asGatewayError(cause);
      if (error.code === 'request_timed_out') response.shouldKeepAlive = false;
      if (error.code === 'internal') gateway.log.error('request failed inside the gateway', { path, cause });
      writeError(response, error, gateway.chance.id(), gateway.dialects.get(route.dialect));
    }
  }

  async #exchange(
    request: IncomingMessage,
    response: ServerResponse,
    matched: MatchedRoute,
    path: string,
    query: string,
    passThrough?: PassThrough,
  ): Promise<void> {
    try {
      const client = this.#clients.enter(response, matched.route.dialect);
      const arrival: { -readonly [Field in keyof Arrival]: Arrival[Field] } = {
        matched,
        path,
        query: withoutKey(query),
        headers: headersWithQueryKey(request.headers, query),
        clientAddress: request.socket.remoteAddress ?? null,
        bytes: noBytes,
        client,
        arrivedTick: this.#gateway.clock.tick(),
        ...(passThrough !== undefined && { passThrough }),
      };
      let reply: Reply;
      try {
        const { bodyBytesMax } = this.#gateway.snapshot().settings;
        if (matched.route.form === undefined) {
          if (passThrough === undefined) refuseForms(request);
          arrival.bytes = await requestBody(request, bodyBytesMax, this.#gateway.clock);
        } else arrival.upload = await readForm(request, matched, bodyBytesMax);
        reply = await this.#serve(this.#gateway, arrival);
      } catch (cause) {
        if (!(cause instanceof GatewayError)) throw cause;
        // The rest of a body that came too slowly is not waited for.
        if (cause.code === 'request_timed_out') response.shouldKeepAlive = false;
        reply = refuse(this.#gateway, arrival, await credentialFirst(this.#gateway, arrival.headers, cause));
      }
      if (!(reply.body instanceof Uint8Array)) client.stream = reply.body;
      writeReply(response, reply);
    } catch (cause) {
      if (cause instanceof ClientLeft) return;
      const error = asGatewayError(cause);
      this.#gateway.log.error('request failed inside the gateway', { path, cause });
      this.#refuse(response, error, matched.route.dialect);
    }
  }

  /** The gateway cannot wait any longer: everybody whose answer is not out is told so in their dialect. */
  interruptAll(): void {
    for (const client of this.#clients.all()) {
      const { response } = client;
      if (client.stream !== null) client.stream.interrupt(stopping());
      else if (!response.headersSent) {
        writeError(response, stopping(), this.#gateway.chance.id(), this.#gateway.dialects.get(client.dialect));
        client.leave();
      }
    }
  }

  /** A path that nobody serves, in the words of those who would come to it; false where nobody is known to. */
  refuseStrange(response: ServerResponse, path: string): boolean {
    const strange = strangePath(path);
    if (strange === undefined) return false;
    this.#refuse(response, new GatewayError('not_found', strange.message), strange.dialect);
    return true;
  }

  #refuse(response: ServerResponse, error: GatewayError, dialect: DialectName): void {
    writeError(response, error, this.#gateway.chance.id(), this.#gateway.dialects.get(dialect));
  }
}

const noBytes = Buffer.alloc(0);
const passedMethods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

function isPassed(method: string): method is PassThrough['method'] {
  return passedMethods.has(method);
}

const wholeForm = { route: { form: 'whole' as const }, model: undefined };

function stopping(): GatewayError {
  return new GatewayError(
    'shutting_down',
    'The gateway is stopping and could not wait for the end of this answer. Send the request again.',
    { retryAfterSeconds: 1, headers: { 'retry-after': '1' } },
  );
}

/** A form as far as it must be known before it is sent on. */
function readForm(
  request: IncomingMessage,
  { route, model }: { readonly route: Pick<MatchedRoute['route'], 'form'>; readonly model: string | undefined },
  bytesMax: number,
): Promise<Upload> {
  const boundary = boundaryOf(request.headers['content-type']);
  if (boundary === undefined) {
    throw new GatewayError('unsupported_media_type', 'The body must be a form (content-type: multipart/form-data).');
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError('unsupported_media_type', 'A form must not be compressed (content-encoding).');
  }
  const needsAll = route.form === 'whole' || request.headers['idempotency-key'] !== undefined;
  return formUpload(request, boundary, { bytesMax, needsAll, modelKnown: model !== undefined });
}

/** Whatever else the content type says, the body is read as JSON; only forms with parts cannot be meant so. */
function refuseForms(request: IncomingMessage): void {
  const contentType = request.headers['content-type'];
  if (contentType === undefined || !/^multipart\//i.test(contentType)) return;
  throw new GatewayError(
    'unsupported_media_type',
    'The body must be JSON (content-type: application/json), not a form.',
  );
}

import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { GatewayError } from '../core/errors.ts';
import type { ByteSource, CallerHeaders, Reply } from '../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { decodeLatin1, EventReader, EventSplitter } from '../core/server-sent-events.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ConnectionMemory } from '../gateway/kept/recall.ts';
import { type MatchedRoute, matchRoute } from '../gateway/operations.ts';
import { jsonFault } from '../gateway/receive/json-fault.ts';
import { OpenClient } from './client-presence.ts';
import type { Serve } from './data.ts';
import { queryOf } from './request-path.ts';
import type { OpenSocket, SocketDoor } from './sockets.ts';

/** As long as the provider keeps such connections; clients open a new one. */
const ageMsMax = 60 * 60_000;
/** Requests that wait for the one under way. */
const waitingMax = 16;
/** Answers that a connection remembers: clients go on from the last one, or branch from one shortly before it. */
const rememberedMax = 8;
const unsentBytesMax = 1024 * 1024;
const goingAway = 1001;

/**
 * Responses over a WebSocket, as Codex uses it: each `response.create` makes the whole journey of a request, one after the
 * other, and its events come back as messages. https://platform.openai.com/docs/guides/websocket-mode
 */
export function responsesSocketDoor(gateway: Gateway, serve: Serve): SocketDoor {
  return {
    routeGroups: ['llm_api_routes', 'openai_routes'],
    takes: (path) => matchRoute(path)?.route.dialect === 'openai-responses',
    open: (socket, request, path) => new ResponsesSocket(gateway, serve, socket, request, path, matchRoute(path)!),
  };
}

class ResponsesSocket implements OpenSocket, ConnectionMemory {
  readonly #gateway: Gateway;
  readonly #serve: Serve;
  readonly #socket: WebSocket;
  readonly #request: IncomingMessage;
  readonly #path: string;
  readonly #matched: MatchedRoute;
  readonly #client: OpenClient;
  readonly #headers: CallerHeaders;
  readonly #waiting: Buffer[] = [];
  readonly #remembered = new Map<string, readonly JsonObject[]>();
  #isBusy = false;
  #isDraining = false;

  constructor(
    gateway: Gateway,
    serve: Serve,
    socket: WebSocket,
    request: IncomingMessage,
    path: string,
    matched: MatchedRoute,
  ) {
    this.#gateway = gateway;
    this.#serve = serve;
    this.#socket = socket;
    this.#request = request;
    this.#path = path;
    this.#matched = matched;
    // A key for one request would be the same for all of this connection.
    const { 'idempotency-key': _once, ...headers } = request.headers;
    this.#headers = headers;
    this.#client = new OpenClient(matched.route.dialect);
    const age = gateway.clock.setTimer(ageMsMax, () => this.#grewOld());
    socket.on('message', (bytes: Buffer) => this.#take(bytes));
    socket.on('close', () => {
      age.cancel();
      this.#waiting.length = 0;
      this.#client.leave();
    });
  }

  // ── What the connection remembers ─────────────────────────────────────────────────────────────────────────────────

  recall(answerId: string): readonly JsonObject[] | undefined {
    return this.#remembered.get(answerId);
  }

  remember(answerId: string, items: readonly JsonObject[]): void {
    this.#remembered.set(answerId, items);
    for (const id of this.#remembered.keys()) {
      if (this.#remembered.size <= rememberedMax) break;
      this.#remembered.delete(id);
    }
  }

  // ── The gateway stops ─────────────────────────────────────────────────────────────────────────────────────────────

  drain(): void {
    this.#isDraining = true;
    if (!this.#isBusy) this.#socket.close(goingAway, 'the gateway is stopping');
  }

  interrupt(): void {
    this.#client.stream?.interrupt(
      new GatewayError('shutting_down', 'The gateway is stopping and could not wait for the end of this answer.'),
    );
  }

  #grewOld(): void {
    this.#tell(
      new GatewayError(
        'connection_too_old',
        'Responses WebSocket connections are closed after 60 minutes. Open a new one to go on.',
      ),
    );
    this.drain();
  }

  // ── One request after the other ───────────────────────────────────────────────────────────────────────────────────

  #take(bytes: Buffer): void {
    if (this.#isDraining) return;
    if (this.#waiting.length >= waitingMax) {
      this.#tell(new GatewayError('overloaded', `At most ${waitingMax} requests may wait on one connection.`));
      return;
    }
    this.#waiting.push(bytes);
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#answer(next);
      } catch (cause) {
        this.#gateway.log.error('request failed inside the gateway', { path: this.#path, cause });
        this.#tell(new GatewayError('internal', 'Internal error.'));
      }
      if (this.#isDraining) break;
    }
    this.#isBusy = false;
    if (this.#isDraining) this.drain();
  }

  async #answer(message: Buffer): Promise<void> {
    const asked = requestIn(message);
    if (asked instanceof GatewayError) {
      this.#tell(asked);
      return;
    }
    const { generate, ...body } = asked;
    if (generate === false) {
      this.#warmUp(body);
      return;
    }
    const reply = await this.#serve(this.#gateway, {
      matched: this.#matched,
      path: this.#path,
      query: queryOf(this.#request.url ?? ''),
      headers: this.#headers,
      clientAddress: this.#request.socket.remoteAddress ?? null,
      bytes: Buffer.from(JSON.stringify(body)),
      client: this.#client,
      arrivedTick: this.#gateway.clock.tick(),
      memory: this,
    });
    if (reply.body instanceof Uint8Array) this.#tellWhole(reply, Buffer.from(reply.body));
    else await this.#relay(reply.body);
  }

  /** Nothing is asked of a model: what is coming is remembered, under an id to go on from. */
  #warmUp(body: JsonObject): void {
    const dialect = this.#gateway.dialects.get(this.#matched.route.dialect)!;
    const { continuation } = dialect;
    if (continuation === undefined) return;
    try {
      dialect.inspect(body);
    } catch (cause) {
      if (!(cause instanceof GatewayError)) throw cause;
      this.#tell(cause);
      return;
    }
    const id = this.#gateway.answerIds.own(this.#gateway.chance.id());
    const previous = continuation.wishes(body).previousId;
    const earlier = previous === undefined ? [] : this.recall(previous);
    if (earlier === undefined) {
      this.#tell(new GatewayError('previous_response_not_found', `Previous response with id '${previous}' not found.`));
      return;
    }
    this.remember(id, [...earlier, ...continuation.items(body)]);
    const createdAt = Math.floor(this.#gateway.clock.now() / 1_000);
    const facts = { id, request: body, model: String(body.model ?? ''), error: null, createdAt };
    const response = continuation.withoutOutput({ ...facts, status: 'in_progress' });
    this.#send({ type: 'response.created', sequence_number: 0, response });
    this.#send({ type: 'response.completed', sequence_number: 1, response: { ...response, status: 'completed' } });
  }

  #tellWhole(reply: Reply, bytes: Buffer): void {
    // Nobody is there to read it, and it may say nothing.
    if (this.#client.gone) return;
    if (reply.status === 200) {
      this.#sendEvents(new EventSplitter(), Buffer.concat([bytes, Buffer.from('\n\n')]));
      return;
    }
    const told: unknown = JSON.parse(bytes.toString());
    const error = isJsonObject(told) && isJsonObject(told.error) ? told.error : {};
    const code = reply.origin.error?.code ?? error.code ?? null;
    this.#send({ type: 'error', status: reply.status, error: { ...error, code }, ...retryAfter(reply) });
  }

  #relay(source: ByteSource): Promise<void> {
    this.#client.stream = source;
    const { socket } = this.#request;
    const splitter = new EventSplitter();
    return new Promise((resolve) => {
      const onDrain = () => source.resume();
      const over = () => {
        socket.off('drain', onDrain);
        this.#socket.off('close', left);
        this.#client.stream = null;
        resolve();
      };
      const left = () => {
        source.cancel();
        over();
      };
      socket.on('drain', onDrain);
      this.#socket.on('close', left);
      source.start({
        write: (chunk) => {
          this.#sendEvents(splitter, chunk);
          return this.#socket.bufferedAmount < unsentBytesMax;
        },
        end: over,
        destroy: () => {
          this.#socket.terminate();
          over();
        },
      });
    });
  }

  /** The data of every whole event as a message; comments are not told. */
  #sendEvents(splitter: EventSplitter, chunk: Uint8Array): void {
    const whole = splitter.push(chunk);
    if (whole === null) return;
    const reader = new EventReader();
    reader.open(whole.toString('latin1'));
    while (reader.next()) {
      if (reader.data !== null && reader.data !== '' && reader.data !== '[DONE]') {
        this.#socket.send(decodeLatin1(reader.data));
      }
    }
  }

  #tell(error: GatewayError): void {
    const { code, message, type, status } = error;
    const param = error.details.param ?? null;
    this.#send({ type: 'error', status, error: { type, code: shownCodes[code] ?? code, message, param } });
  }

  #send(event: JsonObject): void {
    this.#socket.send(JSON.stringify(event));
  }
}

/** As the clients of this format know them. */
const shownCodes: Readonly<Record<string, string>> = { connection_too_old: 'websocket_connection_limit_reached' };

function retryAfter({ origin }: Reply): JsonObject {
  const seconds = origin.error?.details.retryAfterSeconds;
  return seconds === undefined ? {} : { headers: { 'retry-after': String(Math.ceil(seconds)) } };
}

/** The body of a `response.create`: what an HTTP request would carry, always as a stream. */
function requestIn(message: Buffer): JsonObject | GatewayError {
  const text = message.toString('utf8');
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    return new GatewayError('malformed_request', `The message is not valid JSON: ${jsonFault(text)}.`);
  }
  if (!isJsonObject(event) || event.type !== 'response.create') {
    return new GatewayError(
      'malformed_request',
      'type: expected "response.create", the only event that is taken here.',
      {
        param: 'type',
      },
    );
  }
  const { type: _type, background: _background, ...flat } = event;
  // An early form of the protocol has the request in a member of its own.
  const body = isJsonObject(flat.response) && flat.model === undefined ? flat.response : flat;
  return { ...body, stream: true };
}

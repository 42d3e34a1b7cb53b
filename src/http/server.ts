import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { asGatewayError, type ErrorCode, GatewayError } from '../core/errors.ts';
import { Roster } from '../core/roster.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { isVerbOfModel } from '../gateway/operations.ts';
import type { Control } from './control.ts';
import { DataDoor, type Serve } from './data.ts';
import { drain, type OpenResponse } from './drain.ts';
import { plainErrorBody, writeError } from './json-error.ts';
import { liveSocketDoor } from './live-socket.ts';
import { createServer } from './node-http.ts';
import { Readiness } from './readiness.ts';
import { realtimeSocketDoor } from './realtime-socket.ts';
import { pathOf } from './request-path.ts';
import { responsesSocketDoor } from './responses-socket.ts';
import { refuseUpgrade, SocketDoors } from './sockets.ts';

const headersTimeoutMs = 10_000;
const requestTimeoutMs = 300_000;
/** Above the idle times of common balancers and clients (60 s), so that they close first. */
const keepAliveMs = 75_000;
const headerBytesMax = 16 * 1024;
const headersMax = 200;
/** With more than that unsent, a client is slow and its provider has to wait. */
const unsentBytesMax = 16 * 1024;

/** Connections that come in a burst and wait to be taken; the system may allow fewer. */
const waitingConnectionsMax = 4_096;

/** Everything that is not the data plane: admin API, health, metrics, console. */

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** Requests whose answers are not out yet. */
  readonly inFlight: () => number;
  /** Says that it is not ready, lets what is in flight finish for the configured drain time, then ends what is left. */
  close(): Promise<void>;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly serve: Serve;
  readonly control?: Control;
  readonly readiness?: Readiness;
}

/** Opens the doors. Rejects with a clear message when the port is taken or not allowed. */
export async function openHttpServer(gateway: Gateway, options: HttpServerOptions): Promise<HttpServer> {
  const data = new DataDoor(gateway, options.serve);
  const webSockets = new SocketDoors(gateway, [
    realtimeSocketDoor(gateway),
    liveSocketDoor(gateway),
    responsesSocketDoor(gateway, options.serve),
  ]);
  const readiness = options.readiness ?? new Readiness(gateway.clock);
  const open = new Roster<OpenResponse>();
  const sockets = new Set<Socket>();
  let draining: Promise<void> | null = null;
  const server = createServer({
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: headerBytesMax,
    connectionsCheckingInterval: 2_500,
    noDelay: true,
    highWaterMark: unsentBytesMax,
    // Node would keep the first of two and drop the others: whoever stands in front may have looked at the last.
    joinDuplicateHeaders: true,
    // Wishes for other protocols (h2c) are not heard: such a request is answered as what it is.
    shouldUpgradeCallback: ({ method, headers }) => method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.maxHeadersCount = headersMax;
  server.maxRequestsPerSocket = 0;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const entry: OpenResponse = { response, place: -1 };
    open.add(entry);
    if (readiness.isDraining) response.shouldKeepAlive = false;
    response.on('close', () => {
      open.delete(entry);
      if (!server.listening) server.closeIdleConnections();
    });
    response.on('error', ignore);
    // What came behind a refused request on the same connection is not read as a request.
    if (!request.socket.writable) return;
    if (request.headers.host?.includes(',')) {
      refuseConnection(request, response);
      return;
    }
    const path = pathOf(request.url ?? '/');
    if (data.take(request, response, path)) return;
    const isVerb = request.method === 'POST' && isVerbOfModel(path);
    if ((isVerb || options.control?.has(path) !== true) && data.refuseStrange(response, path)) return;
    void answerControl(gateway, options.control, request, response, path);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const path = pathOf(request.url ?? '/');
    if (webSockets.take(request, socket, head, path)) return;
    refuseUpgrade(socket, new GatewayError('not_found', `No WebSocket at ${path.slice(0, 200)}.`));
  });
  server.on('clientError', onClientError);
  await listen(server, options);
  const address = server.address() as AddressInfo;
  return {
    host: options.host,
    port: address.port,
    inFlight: () => open.size,
    close: () => {
      const { drainMs, drainDelayMs } = gateway.snapshot().settings;
      const { clock } = gateway;
      draining ??= drain({ server, data, webSockets, readiness, clock, open, sockets, drainMs, delayMs: drainDelayMs });
      return draining;
    },
  };
}

async function answerControl(
  gateway: Gateway,
  control: Control | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  try {
    if (control !== undefined) await control(request, response);
    else writeError(response, new GatewayError('not_found', `Nothing at ${path.slice(0, 200)}.`), '', undefined);
  } catch (cause) {
    gateway.log.error('control request failed', { path, cause });
    writeError(response, asGatewayError(cause), '', undefined);
  }
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(new Error(listenMessage(cause, host, port))));
    server.listen({ port, host, backlog: waitingConnectionsMax }, () => {
      server.removeAllListeners('error');
      server.on('error', ignore);
      resolve();
    });
  });
}

function listenMessage(cause: NodeJS.ErrnoException, host: string, port: number): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use by another program. Stop it, or choose another one with --port.`;
    case 'EACCES':
      return `Port ${port} on ${host} needs more rights than this program has. Choose one above 1023 with --port.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine. Choose another one with --host.`;
    default:
      return `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}).`;
  }
}

/** Two Host headers mean two readings of one request: it is refused, and its connection with it. */
function refuseConnection(request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
  const error = new GatewayError('malformed_request', 'The request has more than one Host header.');
  writeError(response, error, '', undefined);
  request.socket.destroySoon();
}

/** Bytes that never became a request: answered on the bare socket. */
function onClientError(cause: NodeJS.ErrnoException, socket: Socket): void {
  if (cause.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = clientErrors[cause.code ?? ''] ?? malformed;
  const error = new GatewayError(code, message);
  const body = plainErrorBody(error);
  const head = [
    `HTTP/1.1 ${error.status} ${reasons[error.status] ?? 'Bad Request'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const malformed: readonly [ErrorCode, string] = ['malformed_request', 'The request is not valid HTTP/1.1.'];
const clientErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', `The request headers are larger than ${headerBytesMax} bytes.`],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timed_out', 'The request took too long to arrive.'],
};
const reasons: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function ignore(): void {}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { asGatewayError, GatewayError } from '../core/errors.ts';
import type { CallerHeaders } from '../core/exchange.ts';
import type { Clock } from '../core/ports.ts';
import { admitCaller } from '../gateway/authenticate.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { plainErrorBody } from './json-error.ts';
import { headersWithProtocolKey } from './protocol-key.ts';
import { headersWithQueryKey } from './query-key.ts';
import { queryOf } from './request-path.ts';

const pingMs = 30_000;

/** What a client may have in the place of a key: it acts for the key's holder. */
export interface Delegate {
  readonly keyId: string;
}

/** What is spoken over a WebSocket at some path. */
export interface SocketDoor<Secret extends Delegate = Delegate> {
  readonly routeGroups: readonly string[];
  /** What was presented in the place of a key; null for a key, or nothing. Throws, or rejects with, a GatewayError. */
  secretIn?(headers: CallerHeaders, query: string, path: string): Secret | null | Promise<Secret | null>;
  /** Whether clients write their key into the address, not among the protocols. */
  readonly takesKeyInQuery?: boolean;
  takes(path: string): boolean;
  /** The handshake is over and the key was good. */
  open(socket: WebSocket, request: IncomingMessage, path: string, secret: Secret | null): OpenSocket;
}

/** A connection in use. */
export interface OpenSocket {
  /** Nothing new is begun; closes once nothing is under way. */
  drain(): void;
  /** What is under way is told that the gateway stops. */
  interrupt(): void;
  /** For what goes on when its connection is gone: `then` is called once nothing does. */
  onceOver?(then: () => void): void;
}

/** WebSockets: the key is checked before the handshake, silence is bridged, dead peers are let go. */
export class SocketDoors {
  readonly #gateway: Gateway;
  readonly #doors: readonly SocketDoor[];
  /** Made, and its code loaded, when the first client asks for a WebSocket. */
  #server: Promise<WebSocketServer> | null = null;
  readonly #open = new Map<WebSocket, OpenSocket>();
  readonly #ending = new Set<OpenSocket>();
  #isDraining = false;

  constructor(gateway: Gateway, doors: readonly SocketDoor[]) {
    this.#gateway = gateway;
    this.#doors = doors;
  }

  /** Never rejects. False when nothing is spoken at this path. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, path: string): boolean {
    const door = this.#doors.find((one) => one.takes(path));
    if (door === undefined) return false;
    socket.on('error', () => socket.destroy());
    void this.#greet(door, request, socket, head, path);
    return true;
  }

  drain(): void {
    this.#isDraining = true;
    for (const open of [...this.#open.values(), ...this.#ending]) open.drain();
  }

  interrupt(): void {
    for (const open of this.#open.values()) open.interrupt();
  }

  terminate(): void {
    for (const socket of this.#open.keys()) socket.terminate();
  }

  async #greet(door: SocketDoor, request: IncomingMessage, socket: Duplex, head: Buffer, path: string): Promise<void> {
    try {
      if (this.#isDraining) throw new GatewayError('shutting_down', 'The gateway is stopping. Connect again.');
      const query = queryOf(request.url ?? '');
      const headers = door.takesKeyInQuery
        ? headersWithQueryKey(request.headers, query)
        : headersWithProtocolKey(request.headers);
      const secret = (await door.secretIn?.(headers, query, path)) ?? null;
      const caller = { headers, address: request.socket.remoteAddress ?? null, path, onBehalfOf: secret?.keyId };
      await admitCaller(this.#gateway, caller, door.routeGroups);
      this.#server ??= openServer(this.#gateway.snapshot().settings.bodyBytesMax);
      const server = await this.#server;
      server.handleUpgrade(request, socket, head, (webSocket) => this.#opened(door, webSocket, request, path, secret));
    } catch (cause) {
      refuseUpgrade(socket, asGatewayError(cause));
    }
  }

  #opened(door: SocketDoor, socket: WebSocket, request: IncomingMessage, path: string, secret: Delegate | null): void {
    const open = door.open(socket, request, path, secret);
    this.#open.set(socket, open);
    // The gateway began to stop while the key was looked up.
    if (this.#isDraining) open.drain();
    const stopPings = keepAlive(socket, this.#gateway.clock);
    socket.on('close', () => {
      stopPings();
      this.#open.delete(socket);
      if (open.onceOver === undefined) return;
      this.#ending.add(open);
      open.onceOver(() => this.#ending.delete(open));
    });
    // What the peer sent was no WebSocket frame, or too long: the library has closed already.
    socket.on('error', () => undefined);
  }
}

async function openServer(maxPayload: number): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws');
  return new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload });
}

function keepAlive(socket: WebSocket, clock: Clock): () => void {
  let heard = true;
  let timer = clock.setTimer(pingMs, beat);
  function beat(): void {
    if (!heard) {
      socket.terminate();
      return;
    }
    heard = false;
    socket.ping();
    timer = clock.setTimer(pingMs, beat);
  }
  socket.on('pong', () => {
    heard = true;
  });
  socket.on('message', () => {
    heard = true;
  });
  return () => timer.cancel();
}

/** An answer instead of a handshake, on the bare socket. */
export function refuseUpgrade(socket: Duplex, error: GatewayError): void {
  const body = plainErrorBody(error);
  const head = [
    `HTTP/1.1 ${error.status} Refused`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

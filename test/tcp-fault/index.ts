import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Direction } from './direction.ts';

/** A way to a server that can be made slow, silent or broken, for any protocol over TCP. */
export interface TcpFaultProxy {
  readonly host: string;
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** All is well again; what was held back flows on. */
  restore(): Promise<void>;
  /** Every answer comes `ms` later; with `both`, every request too. */
  delay(ms: number, both?: boolean): void;
  /** Connections stand and new ones are accepted, but no byte passes, as behind a partition that loses packets. */
  blackHole(): void;
  /** Ends the open connections in an orderly way. New ones work. */
  cut(): void;
  /** Ends the open connections with RST. New ones work. */
  reset(): void;
  /** Ends the open connections, and new ones are refused. */
  refuse(): Promise<void>;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  upstream: Socket | null;
  directions: readonly [requests: Direction, answers: Direction] | null;
}

const host = '127.0.0.1';

export async function startTcpFaultProxy(target: { host?: string; port: number }): Promise<TcpFaultProxy> {
  const pairs = new Set<Pair>();
  let delayMs = 0;
  let delaysRequests = false;
  let isHeld = false;
  let server: Server | null = null;
  let port = 0;

  const end = (pair: Pair, how: (socket: Socket) => void) => {
    pairs.delete(pair);
    for (const direction of pair.directions ?? []) direction.stop();
    for (const socket of [pair.client, pair.upstream]) if (socket !== null && !socket.destroyed) how(socket);
  };
  const apply = (pair: Pair) => {
    if (!isHeld && pair.upstream === null) open(pair);
    pair.directions?.[0].set(delaysRequests ? delayMs : 0, isHeld);
    pair.directions?.[1].set(delayMs, isHeld);
  };
  const applyAll = () => {
    for (const pair of pairs) apply(pair);
  };
  const open = (pair: Pair) => {
    const upstream = connect({ host: target.host ?? host, port: target.port, noDelay: true, allowHalfOpen: true });
    pair.upstream = upstream;
    pair.directions = [new Direction(pair.client, upstream), new Direction(upstream, pair.client)];
    upstream.on('error', () => end(pair, (socket) => socket.resetAndDestroy()));
    upstream.on('close', () => pair.client.destroyed && pairs.delete(pair));
  };
  const listen = async () => {
    server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      const pair: Pair = { client, upstream: null, directions: null };
      pairs.add(pair);
      client.on('error', () => end(pair, (socket) => socket.destroy()));
      client.on('close', () => end(pair, (socket) => socket.destroy()));
      client.pause();
      apply(pair);
    });
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    port = address.port;
  };
  const stopListening = async () => {
    const listening = server;
    server = null;
    if (listening === null) return;
    const closed = once(listening, 'close');
    listening.close();
    for (const pair of pairs) end(pair, (socket) => socket.destroy());
    await closed;
  };

  await listen();
  return {
    host,
    get port() {
      return port;
    },
    get connections() {
      return pairs.size;
    },
    async restore() {
      delayMs = 0;
      delaysRequests = false;
      isHeld = false;
      if (server === null) await listen();
      applyAll();
    },
    delay(ms, both = false) {
      delayMs = ms;
      delaysRequests = both;
      isHeld = false;
      applyAll();
    },
    blackHole() {
      isHeld = true;
      applyAll();
    },
    cut() {
      for (const pair of pairs) end(pair, (socket) => socket.destroy());
    },
    reset() {
      for (const pair of pairs) end(pair, (socket) => socket.resetAndDestroy());
    },
    refuse: stopListening,
    close: stopListening,
  };
}

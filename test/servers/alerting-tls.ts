import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';

export interface AlertingTls {
  readonly port: number;
  /** What is sent from now on waits at the sender. */
  stopReading(): void;
  /** The server finds what it gets broken and says so, and a moment later the connections are reset. */
  alertAndReset(): void;
  close(): void;
}

interface AlertingOptions {
  /** The server's part of the handshake and an alert arrive together: the certificate is refused and the alert is read all the same. */
  readonly atOnce?: boolean;
  readonly onSecured?: (socket: TLSSocket) => void;
}

/** A record that no TLS has: whoever gets it tells an alert. */
const garbage = Buffer.concat([Buffer.from([23, 3, 3, 0, 32]), Buffer.alloc(32, 7)]);
const settleBeforeResetMs = 5;

/** A TLS server behind a way that breaks what passes. Its certificate is its own. */
export async function startAlertingTls({ atOnce = false, onSecured }: AlertingOptions = {}): Promise<AlertingTls> {
  const file = (name: string) => readFileSync(join(import.meta.dirname, 'tls', name));
  const inner = createTlsServer({ cert: file('localhost.pem'), key: file('localhost-key.pem') }, (socket) => {
    socket.on('error', () => {});
    onSecured?.(socket);
  });
  inner.on('tlsClientError', () => {});
  const innerPort = await portOf(inner);
  const ways: (readonly [client: Socket, server: Socket])[] = [];
  const outer = createServer((client) => {
    const server = connect(innerPort, '127.0.0.1');
    for (const socket of [client, server]) socket.on('error', () => {});
    client.pipe(server);
    ways.push([client, server]);
    if (atOnce) breakAtOnce(client, server);
    else server.pipe(client);
  });
  return {
    port: await portOf(outer),
    stopReading() {
      for (const [client, server] of ways) client.unpipe(server).pause();
    },
    alertAndReset() {
      for (const [client, server] of ways.splice(0)) {
        server.once('data', () => setTimeout(() => client.resetAndDestroy(), settleBeforeResetMs));
        server.write(garbage);
      }
    },
    close() {
      for (const [client, server] of ways) for (const socket of [client, server]) socket.destroy();
      for (const server of [outer, inner]) server.close();
    },
  };
}

function breakAtOnce(client: Socket, server: Socket): void {
  const held: Buffer[] = [];
  server.on('data', (bytes: Buffer) => {
    held.push(bytes);
    if (held.length === 1) server.write(garbage);
  });
  server.on('end', () => client.end(Buffer.concat(held)));
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What would have ended the program while `body` ran. */
export async function uncaughtDuring(body: () => Promise<void>): Promise<unknown[]> {
  const uncaught: unknown[] = [];
  const note = (cause: unknown): void => void uncaught.push(cause);
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', note);
  try {
    await body();
  } finally {
    process.off('uncaughtException', note);
    for (const other of others) process.on('uncaughtException', other);
  }
  return uncaught;
}

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server and breaks connections at the worst moment. */
export interface CuttingProxy {
  readonly port: number;
  /**
   * The next connection on which `words` go to the server is cut after the server worked them off and before the client
   * hears of it. `times` such cuts in all.
   */
  cutAfter(words: string, times: number): void;
  /** Cuts still to come. */
  readonly pending: number;
  /** Nothing passes any more, in either direction, and nothing is closed; new connections hang, too. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

export async function openCuttingProxy(serverPort: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let words: Buffer | null = null;
  let pending = 0;
  let frozen = false;
  const proxy = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    let cutting = false;
    for (const socket of [client, server]) {
      sockets.add(socket);
      if (frozen) socket.pause();
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (piece) => {
      if (words !== null && pending > 0 && piece.includes(words)) {
        pending -= 1;
        cutting = true;
      }
      server.write(piece);
    });
    server.on('data', (piece) => {
      if (cutting) client.destroy();
      else client.write(piece);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    get pending() {
      return pending;
    },
    cutAfter(text, times) {
      words = Buffer.from(text);
      pending = times;
    },
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await once(proxy, 'close');
    },
  };
}

import { once } from 'node:events';
import {
  Agent,
  createServer,
  get,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** One replica as the balancer sees it. */
export interface Backend {
  readonly name: string;
  readonly port: number;
  ready: boolean;
  inFlight: number;
  /** Answers that came through whole. */
  answered: number;
}

export interface Balancer {
  readonly url: string;
  readonly port: number;
  readonly backends: readonly Backend[];
  /** Answers that the balancer had to give itself, or that broke on the way. */
  failed(): number;
  /** One more, used once it is ready. */
  add(port: number): void;
  /** No request goes there any more; those under way are left alone. */
  remove(port: number): void;
  /** Resolves when exactly these are ready. */
  whenReady(count: number, limitMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface BalancerOptions {
  readonly ports: readonly number[];
  /** 0 (default) takes a free one. */
  readonly port?: number;
  /** Pause between two readiness checks; 200 by default. */
  readonly checkMs?: number;
}

/** Connections that wait to be taken. More are forgotten by the system while their callers believe them open. */
const backlogMax = 4_096;

/**
 * A small HTTP balancer in the manner of the usual ones: round robin over the replicas that say they are ready, kept
 * connections on both sides, and never a second try of a request that may have been received.
 */
export async function startBalancer({ ports, port = 0, checkMs = 200 }: BalancerOptions): Promise<Balancer> {
  const backends: Backend[] = [];
  let named = 0;
  const add = (at: number): Backend => {
    named += 1;
    const backend: Backend = { name: `replica-${named}`, port: at, ready: false, inFlight: 0, answered: 0 };
    backends.push(backend);
    return backend;
  };
  ports.forEach(add);
  const agent = new Agent({ keepAlive: true, timeout: 60_000 });
  let turn = 0;
  let failed = 0;

  const next = (tried: ReadonlySet<Backend>): Backend | undefined => {
    for (let step = 0; step < backends.length; step++) {
      turn = (turn + 1) % backends.length;
      const backend = backends[turn]!;
      if (backend.ready && !tried.has(backend)) return backend;
    }
    return undefined;
  };

  const forward = (incoming: IncomingMessage, response: ServerResponse, body: Buffer, tried: Set<Backend>): void => {
    const backend = next(tried);
    if (backend === undefined) {
      failed += 1;
      response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1' }).end('no replica is ready\n');
      return;
    }
    tried.add(backend);
    backend.inFlight += 1;
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: backend.port,
        agent,
        method: incoming.method,
        path: incoming.url,
        headers: { ...incoming.headers, connection: 'keep-alive' },
      },
      (answer) => {
        const headers: OutgoingHttpHeaders = { ...answer.headers, 'x-replica': backend.name };
        delete headers.connection;
        delete headers['keep-alive'];
        response.writeHead(answer.statusCode ?? 502, headers);
        answer.pipe(response);
        answer.on('end', () => {
          backend.answered += 1;
        });
        answer.on('error', () => {
          failed += 1;
          response.destroy();
        });
      },
    );
    outgoing.on('close', () => {
      backend.inFlight -= 1;
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // Refused: it never heard of the request, so another one may.
      if (error.code === 'ECONNREFUSED') {
        backend.ready = false;
        forward(incoming, response, body, tried);
      } else if (!response.headersSent && !response.destroyed) {
        failed += 1;
        response.writeHead(502, { 'content-type': 'text/plain' }).end(`${backend.name}: ${error.message}\n`);
      } else response.destroy();
    });
    response.on('close', () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    outgoing.end(body);
  };

  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => forward(incoming, response, Buffer.concat(pieces), new Set()));
    incoming.on('error', () => {});
    response.on('error', () => {});
  });
  server.keepAliveTimeout = 75_000;
  server.listen({ port, host: '127.0.0.1', backlog: backlogMax });
  await once(server, 'listening');
  const address = server.address() as AddressInfo;

  const check = (backend: Backend): void => {
    const options = { host: '127.0.0.1', port: backend.port, path: '/health/readiness', agent: false, timeout: 2_000 };
    const asking = get(options, (answer) => {
      answer.resume();
      backend.ready = answer.statusCode === 200;
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => {
      backend.ready = false;
    });
  };
  const checks = setInterval(() => backends.forEach(check), checkMs);
  backends.forEach(check);

  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    backends,
    failed: () => failed,
    add: (at) => check(add(at)),
    remove: (at) => {
      backends.splice(0, backends.length, ...backends.filter((backend) => backend.port !== at));
    },
    async whenReady(count, limitMs = 60_000) {
      const endsAt = performance.now() + limitMs;
      while (backends.filter(({ ready }) => ready).length !== count) {
        if (performance.now() > endsAt) throw new Error(`${count} ready replicas did not come in ${limitMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      clearInterval(checks);
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

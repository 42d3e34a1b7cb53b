import dns from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { plainEgress } from '../../core/egress.ts';
import { socketTransport } from '../socket-transport.ts';
import { undiciTransport } from '../undici-transport.ts';

/*
 * `force_ipv4` over real sockets: one name with an address of each family and a server at both, each of which says who it is.
 * The names are made up, as not every machine has one for `::1`; where a machine has no `::1` at all, nobody is there.
 */

const addresses: Readonly<Record<string, readonly dns.LookupAddress[]>> = {
  'both.test': [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ],
  'six.test': [{ address: '::1', family: 6 }],
};
const servers: Server[] = [];
let port: number;
/** Who answers at the name with both, where nothing is said. */
let usual = 'IPv6';

beforeAll(async () => {
  const real = dns.lookup;
  vi.spyOn(dns, 'lookup').mockImplementation(((
    name: string,
    options: dns.LookupOptions,
    done: (...args: never[]) => void,
  ) => {
    const known = addresses[name];
    if (known === undefined) return real(name, options, done as never);
    const found = known.filter(({ family }) => !options.family || options.family === family);
    const tell = done as unknown as (...args: unknown[]) => void;
    if (found.length === 0)
      return void setImmediate(tell, Object.assign(new Error('no address'), { code: 'ENOTFOUND' }));
    if (options.all) return void setImmediate(tell, null, found);
    return void setImmediate(tell, null, found[0]!.address, found[0]!.family);
  }) as unknown as typeof dns.lookup);
  port = await listens('127.0.0.1', 'IPv4', 0);
  await listens('::1', 'IPv6', port).catch(() => {
    usual = 'IPv4';
  });
});
afterAll(() => {
  vi.restoreAllMocks();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function listens(host: string, name: string, at: number): Promise<number> {
  const server = createServer((_request, response) => response.end(name));
  new WebSocketServer({ server }).on('connection', (socket) => socket.send(name));
  servers.push(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: at, ipv6Only: true }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function answers(host: string, ipv4Only: boolean): Promise<string> {
  const transport = undiciTransport({ ...plainEgress, ipv4Only });
  const { promise, resolve } = Promise.withResolvers<string>();
  let body = '';
  transport.send(
    {
      origin: `http://${host}:${port}`,
      method: 'GET',
      path: '/',
      headers: [],
      body: null,
      connectTimeoutMs: 2_000,
      freshConnection: false,
    },
    {
      onHeaders() {},
      onBytes: (chunk) => {
        body += chunk.toString();
      },
      onEnd: () => resolve(body),
      onError: ({ kind }) => resolve(kind),
    },
  );
  return promise.finally(() => transport.close());
}

async function greets(host: string, ipv4Only: boolean): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const target = { origin: `http://${host}:${port}`, path: '/', headers: [], connectTimeoutMs: 2_000 };
  const receiver = { onText: resolve, onClose: () => resolve('closed') };
  const socket = await socketTransport({ ...plainEgress, ipv4Only }).connect(target, receiver);
  return promise.finally(() => socket.close(1000, ''));
}

test('requests and WebSockets go to the IPv4 address, although the other one comes first', async () => {
  expect(await answers('both.test', false)).toBe(usual);
  expect(await answers('both.test', true)).toBe('IPv4');
  expect(await greets('both.test', false)).toBe(usual);
  expect(await greets('both.test', true)).toBe('IPv4');
});

test('a name without an IPv4 address is not reached', async () => {
  expect(await answers('six.test', false)).not.toBe('name_resolution');
  expect(await answers('six.test', true)).toBe('name_resolution');
  await expect(greets('six.test', true)).rejects.toThrow('ENOTFOUND');
});

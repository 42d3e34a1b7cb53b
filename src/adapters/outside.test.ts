import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openOutside } from './outside.ts';
import { systemClock } from './system-clock.ts';
import { undiciTransport } from './undici-transport.ts';

let server: Server;
let url: string;
let folder: string;
const transport = undiciTransport();
const outside = openOutside(transport, systemClock());

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/silent') return;
    if (request.url === '/endless') {
      response.write(Buffer.alloc(2 * 1024 * 1024));
      return;
    }
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      response.statusCode = 403;
      response.end(`${request.method} ${request.url} ${request.headers['x-mine']} ${body}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'outside-'));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await transport.close();
  await rm(folder, { recursive: true });
});

test('brings a whole answer, whatever its status', async () => {
  const request = { method: 'PUT', address: `${url}/a?b=c`, headers: ['x-mine', 'yes'], body: 'hello' } as const;
  expect(await outside.send(request)).toEqual({ status: 403, body: 'PUT /a?b=c yes hello' });
});

test.each([
  ['/silent', 'no answer in time'],
  ['/endless', 'the answer is too long'],
])('%s: %s', async (path, message) => {
  const request = { method: 'GET', address: url + path, headers: [], body: null, timeoutMs: 200 } as const;
  await expect(outside.send(request)).rejects.toThrow(message);
});

test('says in words that hold no address that nobody is there', async () => {
  const request = { method: 'GET', address: 'http://127.0.0.1:9/', headers: [], body: null } as const;
  await expect(outside.send(request)).rejects.toThrow(/^connection refused$/);
});

test('reads a file, and says when it cannot', async () => {
  await writeFile(join(folder, 'token'), 'text');
  expect(await outside.readFile(join(folder, 'token'))).toBe('text');
  await expect(outside.readFile(join(folder, 'other'))).rejects.toThrow(/^the file is not there$/);
  await expect(outside.readFile(folder)).rejects.toThrow(/^the file cannot be read/);
});

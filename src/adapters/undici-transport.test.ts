import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../../test/fake-provider/index.ts';
import type { TransportError, UpstreamRequest } from '../core/ports.ts';
import { undiciTransport } from './undici-transport.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function provider(options = {}): Promise<FakeProvider> {
  const fake = await startFakeProvider(options);
  open.push(fake);
  return fake;
}

async function rawServer(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  return (server.address() as AddressInfo).port;
}

function transport() {
  const made = undiciTransport();
  open.unshift(made);
  return made;
}

function chatRequest(origin: string, changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    origin,
    method: 'POST',
    path: '/v1/chat/completions',
    headers: ['content-type', 'application/json', 'authorization', 'Bearer test'],
    body: Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] })),
    connectTimeoutMs: 300,
    freshConnection: false,
    ...changes,
  };
}

type Ended = { status: number | null; body: string; error: TransportError | null };

function exchange(transport: ReturnType<typeof undiciTransport>, request: UpstreamRequest): Promise<Ended> {
  return new Promise((resolve) => {
    let status: number | null = null;
    const chunks: Buffer[] = [];
    const end = (error: TransportError | null): void =>
      resolve({ status, body: Buffer.concat(chunks).toString(), error });
    transport.send(request, {
      onHeaders: (received) => {
        status = received;
      },
      onBytes: (chunk) => chunks.push(chunk),
      onEnd: () => end(null),
      onError: end,
    });
  });
}

test('a request is answered over a kept connection', async () => {
  const fake = await provider();
  const made = transport();
  for (let count = 0; count < 3; count += 1) {
    const { status, body, error } = await exchange(made, chatRequest(fake.url));
    expect(error).toBeNull();
    expect(status).toBe(200);
    expect(JSON.parse(body).object).toBe('chat.completion');
    // undici gives a connection back one turn after its answer.
    await nextTurn();
  }
  expect(new Set(fake.requests.map(({ connection }) => connection)).size).toBe(1);
});

test('a fresh connection is used once and closed', async () => {
  const fake = await provider();
  const made = transport();
  await exchange(made, chatRequest(fake.url));
  await exchange(made, chatRequest(fake.url, { freshConnection: true }));
  expect(fake.requests.map(({ connection }) => connection)).toEqual([0, 1]);
});

test('nothing was sent when nobody listens', async () => {
  const port = await rawServer(createServer());
  await open.pop()?.close();
  const { error } = await exchange(transport(), chatRequest(`http://127.0.0.1:${port}`));
  expect(error).toMatchObject({ kind: 'refused', sent: false, reusedConnection: false });
  expect(error?.message).not.toContain('127.0.0.1');
});

test('connecting has a time limit of its own', async () => {
  // A backlog of one that is never accepted from would do too; a non-routable address is simpler but not offline-safe.
  const startedAt = performance.now();
  const { error } = await exchange(transport(), chatRequest('http://192.0.2.1:9', { connectTimeoutMs: 100 }));
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(['connect_timeout', 'refused']).toContain(error?.kind);
  expect(error?.sent).toBe(false);
});

test('a name that does not exist, a plain port behind https, and bytes that are not HTTP are told apart', async () => {
  const made = transport();
  const unknown = await exchange(made, chatRequest('http://does-not-exist.invalid'));
  expect(unknown.error).toMatchObject({ kind: 'name_resolution', sent: false });
  const fake = await provider();
  const plain = await exchange(made, chatRequest(fake.url.replace('http:', 'https:')));
  expect(plain.error).toMatchObject({ kind: 'tls', sent: false });
  const port = await rawServer(createServer((socket) => socket.resume().end('SSH-2.0-OpenSSH_9.2\r\n')));
  const other = await exchange(made, chatRequest(`http://127.0.0.1:${port}`));
  expect(other.error).toMatchObject({ kind: 'protocol', sent: true });
});

test('a reset before and inside the answer was sent, and not a keep-alive race on a first use', async () => {
  const fake = await provider();
  fake.enqueue({ reset: 'before-headers' }, { reset: { byte: 20 } }, { contentLength: 100_000, fin: { byte: 30 } });
  const made = transport();
  const before = await exchange(made, chatRequest(fake.url));
  expect(before).toMatchObject({ status: null, error: { kind: 'reset', sent: true, reusedConnection: false } });
  const inside = await exchange(made, chatRequest(fake.url));
  expect(inside).toMatchObject({ status: 200, error: { kind: 'reset', sent: true, reusedConnection: false } });
  const short = await exchange(made, chatRequest(fake.url));
  expect(short).toMatchObject({ status: 200, error: { sent: true } });
});

test('a kept connection that dies under a request is known as such', async () => {
  const fake = await provider();
  const made = transport();
  await exchange(made, chatRequest(fake.url));
  await nextTurn();
  fake.enqueue({ reset: 'before-headers' });
  const { error } = await exchange(made, chatRequest(fake.url));
  expect(error).toMatchObject({ kind: 'reset', sent: true, reusedConnection: true });
});

test('cancel closes the connection and silences the receiver', async () => {
  const fake = await provider();
  fake.enqueue({ stall: { at: 'before-headers' } });
  let calls = 0;
  const count = (): void => {
    calls += 1;
  };
  const sent = transport().send(chatRequest(fake.url), {
    onHeaders: count,
    onBytes: count,
    onEnd: count,
    onError: count,
  });
  const [recorded] = await fake.waitForRequests(1);
  const cancelledAt = performance.timeOrigin + performance.now();
  sent.cancel();
  await recorded?.ended;
  expect((recorded?.abortedAtMs ?? 0) - cancelledAt).toBeLessThan(100);
  expect(calls).toBe(0);
});

test('cancel before the connection is there sends nothing', async () => {
  const fake = await provider();
  const made = transport();
  const sent = made.send(chatRequest(fake.url), { onHeaders() {}, onBytes() {}, onEnd() {}, onError() {} });
  sent.cancel();
  await exchange(made, chatRequest(fake.url));
  expect(fake.requests).toHaveLength(1);
});

test('pause holds the provider back and resume lets it go on', async () => {
  const fake = await provider();
  fake.enqueue({ body: Buffer.alloc(32 * 1024 * 1024, 97) });
  const made = transport();
  let size = 0;
  let ended = false;
  const sent = made.send(chatRequest(fake.url), {
    onHeaders: () => sent.pause(),
    onBytes: (chunk) => {
      size += chunk.length;
    },
    onEnd: () => {
      ended = true;
    },
    onError: () => undefined,
  });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(size).toBeLessThan(256 * 1024);
  sent.resume();
  await expect.poll(() => ended, { timeout: 5_000 }).toBe(true);
  expect(size).toBe(32 * 1024 * 1024);
});

test('a request that cannot be written is an error, not an exception', async () => {
  const { error } = await exchange(transport(), chatRequest('http://127.0.0.1:1', { path: '/with space' }));
  expect(error).toMatchObject({ kind: 'protocol', sent: false });
});

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openHttpServer } from '../../src/http/server.ts';
import { SocketDoors } from '../../src/http/sockets.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, masterKey, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

let fake: FakeProvider;
let rig: GatewayRig;

beforeEach(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(`model_list:
${deployment('m', fake.url, 'openai/some-model')}
${deployment('open', fake.url, 'openai/some-model', { configurable_clientside_auth_params: ['api_key', 'api_base'] })}
general_settings: {max_request_size_mb: 1, drain_timeout_seconds: 1}
`);
});
afterEach(async () => {
  await rig.close();
  await fake.close();
});

/** Bytes on a bare socket, and everything that comes back until the other side closes. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(rig.server.port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

const messageOf = async (response: Response) =>
  ((await response.json()) as { error: { message: string; code?: string; type: string } }).error;

test('a body over the limit is refused in the caller’s dialect, announced or not', async () => {
  const announced = await rig.post('/v1/chat/completions', 'x'.repeat(1024 * 1024 + 1));
  expect(announced.status).toBe(413);
  expect((await messageOf(announced)).message).toContain('1048576 bytes');
  const chunked = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${masterKey}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n` +
      `100001\r\n${'x'.repeat(0x100001)}\r\n0\r\n\r\n`,
  );
  expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
});

test('a compressed request is read, and a bomb is not', async () => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
  const compressed = await rig.post('/v1/chat/completions', undefined, {
    body: gzipSync(JSON.stringify(body)),
    headers: { 'content-encoding': 'gzip' },
  });
  expect(compressed.status).toBe(200);
  expect(fake.requests[0]?.json).toMatchObject({ messages: body.messages });
  const bomb = await rig.post('/v1/chat/completions', undefined, {
    body: gzipSync(Buffer.alloc(64 * 1024 * 1024)),
    headers: { 'content-encoding': 'gzip' },
  });
  expect(bomb.status).toBe(413);
  const damaged = await rig.post('/v1/chat/completions', 'not gzip', { headers: { 'content-encoding': 'gzip' } });
  expect(damaged.status).toBe(400);
  const unknown = await rig.post('/v1/chat/completions', '{}', { headers: { 'content-encoding': 'snappy' } });
  expect(unknown.status).toBe(415);
});

test('whoever has no valid key learns nothing about its body', async () => {
  const bodies = [
    ['{"model": "m",', {}],
    ['x'.repeat(1024 * 1024 + 1), {}],
    ['{}', { 'content-type': 'multipart/form-data' }],
    ['{}', { 'content-encoding': 'zip' }],
  ] as const;
  for (const [body, headers] of bodies) {
    for (const authorization of ['', 'Bearer sk-wrong-0123456789']) {
      const answer = await rig.post('/v1/chat/completions', body, { headers: { ...headers, authorization } });
      expect(answer.status).toBe(401);
    }
  }
});

test('a form, a wrong method, an unknown path and malformed JSON are told apart', async () => {
  const form = await rig.post('/v1/chat/completions', new FormData(), {
    headers: { 'content-type': 'multipart/form-data' },
  });
  expect(form.status).toBe(415);
  const get = await fetch(`${rig.url}/v1/chat/completions`);
  expect(get.status).toBe(405);
  expect(get.headers.get('allow')).toBe('POST');
  expect((await fetch(`${rig.url}/nowhere`)).status).toBe(404);
  const malformed = await rig.post('/v1/chat/completions', '{"model": "m",');
  expect(malformed.status).toBe(400);
  expect((await messageOf(malformed)).message).not.toContain('at ');
});

test.each([
  ['POST', '/v1beta/models/m:predictLongRunning', { error: { code: 404, status: 'NOT_FOUND' } }],
  ['POST', '/v1/models/m:dance', { error: { code: 404, status: 'NOT_FOUND' } }],
  ['GET', '/v1beta/cachedContents', { error: { code: 404, status: 'NOT_FOUND' } }],
  ['POST', '/model/m/dance', { __type: 'ResourceNotFoundException' }],
  ['POST', '/bedrock/model/m/dance', { __type: 'ResourceNotFoundException' }],
  ['POST', '/v1/messages/dance', { type: 'error', error: { type: 'not_found_error' } }],
  ['POST', '/v2/dance', { message: 'Nothing at /v2/dance.' }],
  ['POST', '/v1/dance', { error: { type: 'not_found_error' } }],
])('%s %s is not there, in the words of those who would come to it', async (method, path, body) => {
  const answer = await fetch(`${rig.url}${path}`, { method, ...(method === 'POST' && { body: '{}' }) });
  expect(answer.status).toBe(404);
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject(body);
  if (/models?\/m/.test(path)) expect(text).toMatch(/Below a model there are .*(generateContent|converse)/);
});

test('headers over the limit and bytes that are not HTTP are answered, and the server lives on', async () => {
  const huge = await raw(`POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  expect(huge).toMatch(/^HTTP\/1\.1 431 /);
  const garbage = await raw('\u0016\u0003\u0001 not http\r\n\r\n');
  expect(garbage).toMatch(/^HTTP\/1\.1 400 /);
  const conflicting = await raw(
    'POST /v1/messages HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  );
  expect(conflicting).toMatch(/^HTTP\/1\.1 400 /);
  expect((await rig.chat()).status).toBe(200);
});

test('a client that leaves inside its request is nobody to answer', async () => {
  const socket = connect(rig.server.port, '127.0.0.1', () => {
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{"mod');
    setTimeout(() => socket.destroy(), 30);
  });
  await new Promise((resolve) => socket.on('close', resolve));
  expect((await rig.chat()).status).toBe(200);
  expect(rig.logged).toEqual([]);
  await expect.poll(() => rig.server.inFlight()).toBe(0);
});

test('a port in use is told as such', async () => {
  const taken = { host: '127.0.0.1', port: rig.server.port, serve: async () => Promise.reject(new Error('unused')) };
  await expect(openHttpServer(rig.gateway, taken)).rejects.toThrow(/Port \d+ on 127\.0\.0\.1 is in use/);
});

test('draining finishes what is in flight, takes nothing new, and closes what is left in time', {
  retry: 2,
}, async () => {
  fake.enqueue({ delayBeforeHeadersMs: 300 });
  const inFlight = rig.chat();
  await fake.waitForRequests(1);
  const startedAt = performance.now();
  const closed = rig.server.close();
  await expect(fetch(`${rig.url}/v1/models`)).rejects.toThrow();
  const response = await inFlight;
  expect(response.status).toBe(200);
  expect(response.headers.get('connection')).toBe('close');
  await closed;
  expect(performance.now() - startedAt).toBeLessThan(900);
});

test('a connection that was opened in advance and never used does not hold up the end', async () => {
  rig.snapshot = { ...rig.snapshot, settings: { ...rig.snapshot.settings, drainMs: 10_000 } };
  const silent = connect(rig.server.port, '127.0.0.1');
  const ended = new Promise((resolve) => silent.once('close', resolve));
  silent.on('error', () => {});
  await expect.poll(() => silent.readyState).toBe('open');
  // As clients do it: one leaves in the middle of a stream that came over a kept connection, and opens spare ones.
  await (await fetch(`${rig.url}/health/liveliness`)).text();
  fake.enqueue({ stall: { at: { event: 3 } } });
  const leaving = new AbortController();
  const reader = (await rig.chat({ stream: true }, { signal: leaving.signal })).body!.getReader();
  await reader.read();
  leaving.abort();
  await reader.read().catch(() => {});
  await (await fetch(`${rig.url}/health/liveliness`)).text();
  await rig.recorded(1);
  const startedAt = performance.now();
  await rig.server.close();
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  await ended;
});

test('what outlasts the drain time is told so: a whole answer by 503, a stream by an error event', async () => {
  fake.enqueue({ stall: { at: 'before-headers' } }, { stall: { at: { event: 4 } } }, { stall: { at: { event: 4 } } });
  const whole = rig.chat();
  await fake.waitForRequests(1);
  const stream = rig.chat({ stream: true });
  await fake.waitForRequests(2);
  const messages = rig.post('/v1/messages', {
    model: 'm',
    max_tokens: 50,
    stream: true,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  await fake.waitForRequests(3);
  const texts = [(await stream).text(), (await messages).text()] as const;
  const startedAt = performance.now();
  await rig.server.close();
  expect(performance.now() - startedAt).toBeGreaterThan(900);

  const refused = await whole;
  expect(refused.status).toBe(503);
  expect(refused.headers.get('connection')).toBe('close');
  expect(((await refused.json()) as { error: { message: string } }).error.message).toContain('stopping');

  const [chat, anthropic] = await Promise.all(texts);
  expect(chat).toContain('"delta"');
  expect(chat).toMatch(/\n\ndata: \{"error":\{"message":"[^\n]*stopping[^\n]*\n\n$/);
  expect(anthropic).toMatch(/event: error\ndata: \{"type":"error".*stopping[^\n]*\n\n$/);
  const records = await rig.recorded(3);
  expect(records.map(({ status }) => status).sort()).toEqual(['aborted', 'failure', 'failure']);
  await expect.poll(() => fake.openConnections()).toBe(0);
});

test('while balancers have not noticed yet, requests are taken and connections are not kept', async () => {
  rig.snapshot = {
    ...rig.snapshot,
    settings: { ...rig.snapshot.settings, drainMs: 5_000, drainDelayMs: 400 },
  };
  const closed = rig.server.close();
  const late = await rig.chat();
  expect(late.status).toBe(200);
  expect(late.headers.get('connection')).toBe('close');
  await closed;
  await expect(fetch(rig.url)).rejects.toThrow();
});

test('a WebSocket whose key was being looked up when the gateway began to stop is told to end', async () => {
  const drained = Promise.withResolvers<void>();
  const doors = new SocketDoors(rig.gateway, [
    {
      routeGroups: ['llm_api_routes'],
      takes: () => true,
      open: (socket) => ({
        drain: () => {
          drained.resolve();
          socket.close();
        },
        interrupt: () => {},
      }),
    },
  ]);
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, socket, head) => {
    doors.take(request, socket, head, '/');
    doors.drain();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${masterKey}` } });
  await Promise.all([drained.promise, once(client, 'close')]);
  server.close();
});

test('a caller’s own address and key are refused unless the deployment lets them', async () => {
  const other = await startFakeProvider();
  try {
    const inFallback = { fallbacks: [{ model: 'open', api_key: 'sk-mine' }] };
    for (const field of [{ api_key: 'sk-mine' }, { api_base: `${other.url}/v1` }, inFallback]) {
      const refused = await rig.chat(field);
      expect(refused.status).toBe(400);
      expect((await messageOf(refused)).message).toContain(Object.keys(field)[0]);
    }
    expect(other.requests).toHaveLength(0);
    expect(fake.requests).toHaveLength(0);
    const bare = await rig.chat({ model: 'open', api_base: `${other.url}/v1` });
    expect(bare.status).toBe(400);
    const own = await rig.chat({ model: 'open', api_base: `${other.url}/v1`, api_key: 'sk-mine' });
    expect(own.status).toBe(200);
    expect(other.requests[0]?.headers.authorization).toBe('Bearer sk-mine');
    expect(JSON.stringify(other.requests[0]?.json)).not.toContain('sk-mine');
  } finally {
    await other.close();
  }
});

test('the provider gets its credential, what may be forwarded, and the body as the caller wrote it', async () => {
  const body =
    '{ "model": "m",\n "messages":[{"role":"user","content":"caf\\u00e9 \u{1F98A}"}], "unknown_field": [1.0, 1e2], "num_retries": 1 }';
  const response = await rig.post('/v1/chat/completions', body, {
    headers: {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-secret': 'no',
      cookie: 'a=b',
    },
  });
  expect(response.status).toBe(200);
  const [sent] = fake.requests;
  expect(sent?.body.toString()).toBe(
    '{ "model": "some-model",\n "messages":[{"role":"user","content":"caf\\u00e9 \u{1F98A}"}], "unknown_field": [1.0, 1e2] }',
  );
  expect(sent?.headers).toMatchObject({
    authorization: 'Bearer sk-upstream-secret-0123456789',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  expect(JSON.stringify(sent?.headers)).not.toMatch(/x-secret|cookie/);
  expect(JSON.stringify(sent?.headers)).not.toContain(masterKey);
});

test('secrets that a provider repeats do not reach the caller', async () => {
  fake.enqueue({
    status: 401,
    error: { message: 'Incorrect API key provided: sk-upstream-secret-0123456789. See https://a.example/x?key=abc' },
  });
  const response = await rig.chat();
  const { message } = await messageOf(response);
  expect(message).toContain('[redacted]');
  expect(message).not.toMatch(/0123456789|key=abc/);
});

test('a kept connection that the provider was closing is made good on a fresh one', async () => {
  await (await rig.chat()).text();
  fake.enqueue({ reset: 'before-headers' });
  const response = await rig.chat();
  expect(response.status).toBe(200);
  const [, raced] = await rig.recorded(2);
  expect(raced?.attempts).toMatchObject([{ ambiguous: true }, { result: 'success', ambiguous: false }]);
  expect(fake.requests.map(({ connection }) => connection)).toEqual([0, 0, 1]);
});

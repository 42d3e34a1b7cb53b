import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Client } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { type FakeProvider, type FakeProviderOptions, type Script, startFakeProvider } from './index.ts';
import { rateLimited } from './scripts.ts';

let fake: FakeProvider;
afterEach(() => fake.close());
const start = async (options: FakeProviderOptions = {}) => {
  fake = await startFakeProvider(options);
};

interface Raw {
  readonly head: string;
  /** The body as it stood on the wire, chunk framing included. */
  readonly wire: Buffer;
  readonly chunks: Buffer[];
  readonly error?: string;
  readonly ended: boolean;
}

/** A bare socket, so that nothing between the test and the bytes can repair them. */
async function exchange(script: Script, options: { stream?: boolean; waitMs?: number } = {}): Promise<Raw> {
  fake.enqueue(script);
  const body = JSON.stringify({
    model: 'm',
    stream: options.stream ?? false,
    messages: [{ role: 'user', content: 'hi' }],
  });
  const socket = connect(fake.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let error: string | undefined;
  let ended = false;
  socket.on('data', (piece) => chunks.push(piece));
  socket.on('error', (failure: NodeJS.ErrnoException) => {
    error = failure.code;
  });
  socket.on('end', () => {
    ended = true;
  });
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  await new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    if (options.waitMs !== undefined) setTimeout(() => resolve(socket.destroy() && undefined), options.waitMs);
  });
  const all = Buffer.concat(chunks);
  const split = all.indexOf('\r\n\r\n');
  const head = all.subarray(0, Math.max(0, split)).toString('latin1');
  return { head, wire: all.subarray(split + 4), chunks, ended, ...(error === undefined ? {} : { error }) };
}

/** Contents of the HTTP chunks, one per write of the server. */
function httpChunks(wire: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < wire.length; ) {
    const lineEnd = wire.indexOf('\r\n', at);
    const size = Number.parseInt(wire.subarray(at, lineEnd).toString('latin1'), 16);
    if (!(size > 0)) break;
    found.push(wire.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
  return found;
}

test('writes are cut exactly where the script says', async () => {
  await start();
  const text = '春の海 👩‍👧 été';
  const ones = httpChunks((await exchange({ cuts: 1, text }, { stream: true })).wire);
  expect(ones.every((chunk) => chunk.length === 1)).toBe(true);
  const content = Buffer.concat(ones).toString();
  const said = [...content.matchAll(/"content":("(?:[^"\\]|\\.)*")/g)].map((match) => JSON.parse(match[1]!)).join('');
  expect(said).toBe(text);
  const listed = httpChunks((await exchange({ cuts: [3, 10, 11] }, { stream: true })).wire);
  expect(listed.slice(0, 3).map((chunk) => chunk.length)).toEqual([3, 7, 1]);
  const joined = httpChunks((await exchange({ eventsPerWrite: 1000 }, { stream: true })).wire);
  expect(joined).toHaveLength(1);
});

test('a reset or an end at a byte delivers exactly the bytes before it', async () => {
  await start();
  const reset = await exchange({ reset: { byte: 37 } }, { stream: true });
  expect(reset.error).toBe('ECONNRESET');
  expect(Buffer.concat(httpChunks(reset.wire))).toHaveLength(37);
  const end = await exchange({ fin: { byte: 37 } }, { stream: true });
  expect(end).toMatchObject({ ended: true });
  expect(end.error).toBeUndefined();
  expect(Buffer.concat(httpChunks(end.wire))).toHaveLength(37);
  const cutJson = await exchange({ fin: { byte: 10 } });
  expect(cutJson.wire).toHaveLength(10);
  expect(Number(/content-length: (\d+)/.exec(cutJson.head)![1])).toBeGreaterThan(10);
  expect(fake.invoice.map((entry) => entry.outcome)).toEqual(['fault', 'fault', 'fault']);
});

test('a reset or an end at an event delivers exactly the events before it', async () => {
  await start();
  for (const moment of [0, 1, 3]) {
    const { wire } = await exchange({ fin: { event: moment } }, { stream: true });
    expect(Buffer.concat(httpChunks(wire)).toString().split('\n\n').length - 1).toBe(moment);
  }
  const before = await exchange({ reset: 'before-headers' });
  expect(before).toMatchObject({ head: '', error: 'ECONNRESET' });
  expect((await exchange({ fin: 'before-headers' })).head).toBe('');
});

test('stalls, with and without heartbeats', async () => {
  await start();
  const silent = await exchange({ stall: { at: { event: 2 } } }, { stream: true, waitMs: 120 });
  expect(httpChunks(silent.wire)).toHaveLength(2);
  const busy = await exchange({ stall: { at: { event: 2 }, heartbeatEveryMs: 20 } }, { stream: true, waitMs: 150 });
  const beats = httpChunks(busy.wire).filter((chunk) => chunk.toString() === ': keep-alive\n\n');
  expect(beats.length).toBeGreaterThanOrEqual(3);
  const resumed = await exchange({ stall: { at: { event: 2 }, forMs: 30 } }, { stream: true });
  expect(resumed.wire.toString()).toContain('[DONE]');
  const mute = await exchange({ stall: { at: 'before-headers' } }, { waitMs: 60 });
  expect(mute.chunks).toHaveLength(0);
  await Promise.all(fake.requests.map((request) => request.ended));
  expect(fake.invoice.map((entry) => entry.outcome)).toEqual(['caller-left', 'caller-left', 'complete', 'caller-left']);
});

test('streams that lack their end, or carry an error in their middle', async () => {
  await start();
  const body = async (script: Script) =>
    Buffer.concat(httpChunks((await exchange(script, { stream: true })).wire)).toString();
  expect(await body({ omitDone: true })).not.toContain('[DONE]');
  expect(await body({ omitFinishReason: true })).not.toContain('"finish_reason":"');
  const broken = await body({ errorAtEvent: 3 });
  expect(broken.split('\n\n').filter(Boolean)).toHaveLength(4);
  expect(broken).toContain('data: {"error":{"message":"Overloaded"');
  expect(await body({ usage: 'every-event' })).toMatch(/"usage":\{"prompt_tokens":\d+,"completion_tokens":1,/);
  expect(await body({ body: 'data: nonsense\n\n' })).toBe('data: nonsense\n\n');
});

test('every spelling that the SSE grammar allows', async () => {
  await start();
  const body = async (sse: NonNullable<Script['sse']>) =>
    Buffer.concat(httpChunks((await exchange({ sse, text: 'ok' }, { stream: true })).wire)).toString();
  expect(await body({ lineEnding: '\r\n' })).toMatch(/^data: \{.*\}\r\n\r\ndata/);
  expect(await body({ lineEnding: '\r' })).toMatch(/^data: \{.*\}\r\rdata/);
  expect(await body({ noSpaceAfterColon: true })).toMatch(/^data:\{/);
  expect((await body({ byteOrderMark: true })).charCodeAt(0)).toBe(0xfeff);
  expect(await body({ comments: true })).toMatch(/^: comment\ndata: /);
  expect(await body({ multilineData: true })).toMatch(/^data: \{\ndata: {2}"id"/);
  expect(await body({ unterminatedLastEvent: true })).toMatch(/data: \[DONE\]$/);
});

test('gzip, a wrong length, a body that ends with its connection, status pages', async () => {
  await start();
  const zipped = await exchange({ gzip: true });
  expect(zipped.head).toContain('content-encoding: gzip');
  expect(JSON.parse(gunzipSync(zipped.wire).toString())).toHaveProperty('choices');
  const zippedStream = await exchange({ gzip: true }, { stream: true });
  expect(gunzipSync(Buffer.concat(httpChunks(zippedStream.wire))).toString()).toMatch(/data: \[DONE\]\n\n$/);
  const short = await exchange({ contentLength: 100_000 }, { waitMs: 80 });
  expect(short.head).toContain('content-length: 100000');
  expect(short.wire.length).toBeLessThan(100_000);
  const bare = await exchange({ framing: 'close' }, { stream: true });
  expect(bare.head).not.toMatch(/content-length|transfer-encoding/i);
  expect(bare.wire.toString()).toMatch(/data: \[DONE\]\n\n$/);
  const limited = await exchange(rateLimited(3));
  expect(limited.head).toMatch(/^HTTP\/1.1 429 .*retry-after: 3/s);
});

test('endless answers wait for their reader and are billed for what was produced', async () => {
  await start({ default: { endless: true } });
  const socket = connect(fake.port, '127.0.0.1');
  const body = '{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}';
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  const [request] = await fake.waitForRequests(1);
  let before = -1;
  while (before !== request!.bytesSent) {
    before = request!.bytesSent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(before).toBeGreaterThan(10_000);
  expect(before).toBeLessThan(32 * 1024 * 1024);
  const leftAtMs = performance.timeOrigin + performance.now();
  socket.resetAndDestroy();
  await request!.ended;
  expect(request!.abortedAtMs! - leftAtMs).toBeLessThan(500);
  expect(fake.invoice[0]).toMatchObject({ state: 'billed', outcome: 'caller-left' });
  expect(fake.invoice[0]!.usage.outputTokens).toBeGreaterThan(50);
});

test('idle connections are closed unannounced, open ones are reset by down, and up takes the same port', async () => {
  await start({ closeIdleAfterMs: 30 });
  const url = `${fake.url}/v1/models`;
  const answer = await fetch(url);
  expect(answer.headers.get('keep-alive')).toBeNull();
  await answer.text();
  expect(fake.openConnections()).toBe(1);
  await expect.poll(() => fake.openConnections()).toBe(0);
  await fake.down();
  await expect(fetch(url)).rejects.toThrow();
  await fake.up();
  expect((await fetch(url)).status).toBe(200);
});

test('connections are closed after their share of requests', async () => {
  await start({ requestsPerConnection: 2 });
  const client = new Client(fake.url);
  for (let count = 0; count < 4; count += 1) {
    await (await client.request({ path: '/v1/models', method: 'GET' })).body.text();
  }
  await client.close();
  expect(fake.requests.map((request) => request.connection)).toEqual([0, 0, 1, 1]);
});

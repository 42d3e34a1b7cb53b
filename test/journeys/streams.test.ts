import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type FakeProvider,
  finishAt,
  resetAt,
  type Script,
  stallAt,
  startFakeProvider,
} from '../fake-provider/index.ts';
import { type GatewayRig, masterKey, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

let fake: FakeProvider;
let rig: GatewayRig;

beforeEach(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(`model_list:
${deployment('m', fake.url, 'openai/some-model', { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 })}
${deployment('spare', fake.url, 'openai/spare-model')}
router_settings: {num_retries: 2, fallbacks: [{"m": ["spare"]}]}
general_settings: {timeouts: {idle_seconds: 0.4}, heartbeat_seconds: 0.1}
`);
});
afterEach(async () => {
  await rig.close();
  await fake.close();
});

/** A client on a socket of its own, which can stop reading and leave as clients do. */
function openClient(): { readonly request: ClientRequest; readonly response: Promise<IncomingMessage> } {
  const request = httpRequest(`${rig.url}/v1/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${masterKey}` },
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  response.catch(() => undefined);
  request.end(JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Hello' }] }));
  return { request, response };
}

const text = async (message: IncomingMessage): Promise<string> => {
  let all = '';
  for await (const chunk of message) all += String(chunk);
  return all;
};

test('a stream passes as it comes, with its model name restamped and its usage counted', async () => {
  const response = await rig.chat({ stream: true });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const body = await response.text();
  const events = body.split('\n\n').filter((event) => event.startsWith('data: {'));
  expect(events.length).toBeGreaterThan(3);
  for (const event of events) expect(JSON.parse(event.slice(6)).model).toBe('m');
  expect(body.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(body).not.toContain('"usage":{');
  const [record] = await rig.recorded(1);
  expect(record).toMatchObject({ status: 'success', usage: { estimated: false }, stream: true });
  expect(record?.usage.outputTokens).toBeGreaterThan(0);
  expect(record?.firstTokenAt).not.toBeNull();
});

const breaks: readonly (readonly [name: string, script: Script])[] = [
  ['is reset', resetAt({ event: 4 })],
  ['is closed', finishAt({ event: 4 })],
  ['stalls', stallAt(4)],
  ['stalls while comments keep it busy', stallAt(4, 50)],
  ['tells an error', { errorAtEvent: 4 }],
];

test.each(breaks)(
  'a stream that %s after its first content ends with an error, never as complete',
  async (_, script) => {
    fake.enqueue({ ...script, delayBetweenEventsMs: 5 });
    const response = await rig.chat({ stream: true });
    const body = await response.text();
    expect(response.status).toBe(200);
    expect(body).toContain('"delta":{');
    const last = body.trimEnd().split('\n\n').at(-1) ?? '';
    expect(JSON.parse(last.replace(/^data: /, '')).error.message).toMatch(/^litellm\./);
    expect(body).not.toContain('[DONE]');
    // After the commit point nobody else is asked.
    expect(fake.requests).toHaveLength(1);
    const [record] = await rig.recorded(1);
    expect(record).toMatchObject({ status: 'failure', usage: { estimated: true } });
    expect(record?.attempts).toHaveLength(1);
    expect(record?.usage.outputTokens).toBeGreaterThan(0);
  },
);

test('a silent stream gets heartbeats', async () => {
  fake.enqueue({ stall: { at: { event: 4 }, forMs: 350 } });
  const body = await (await rig.chat({ stream: true })).text();
  const beats = body.split('\n').filter((line) => line.startsWith(':')).length;
  expect(beats).toBeGreaterThanOrEqual(2);
  expect(beats).toBeLessThanOrEqual(4);
  expect(body.endsWith('data: [DONE]\n\n')).toBe(true);
});

describe('a client that leaves', () => {
  test.each([
    ['before the answer', { stall: { at: 'before-headers' } } as Script],
    ['before the first content', stallAt(1)],
    ['inside the stream', { endless: true, delayBetweenEventsMs: 5 } as Script],
    ['while nothing flows', { stall: { at: { event: 5 } } } as Script],
    // A machine that stands still for a moment may try again; what is slow is slow every time.
  ])('%s stops the provider within 100 ms', { retry: 2 }, async (_, script) => {
    fake.enqueue(script);
    const { request } = openClient();
    const [recorded] = await fake.waitForRequests(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const leftAt = performance.timeOrigin + performance.now();
    request.destroy();
    await recorded?.ended;
    expect((recorded?.abortedAtMs ?? Number.POSITIVE_INFINITY) - leftAt).toBeLessThan(100);
    const [record] = await rig.recorded(1);
    expect(record).toMatchObject({ status: 'aborted', httpStatus: 499 });
    expect(record?.usage.inputTokens).toBeGreaterThan(0);
    expect(fake.requests).toHaveLength(1);
  });

  test('between two tries is not followed by another one', async () => {
    fake.setDefault({ status: 503 });
    rig.snapshot = {
      ...rig.snapshot,
      router: { ...rig.snapshot.router, retries: 3, retryAfterMinMs: 300, fallbacks: new Map() },
    };
    const { request } = openClient();
    await fake.waitForRequests(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    request.destroy();
    const [record] = await rig.recorded(1);
    expect(record?.status).toBe('aborted');
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(fake.requests).toHaveLength(1);
  });
});

test('a client that reads slowly holds the provider back in bounded memory', async () => {
  fake.enqueue({ endless: true, charactersPerPiece: 16_384, text: 'x'.repeat(16_384), eventsPerWrite: 4 });
  const before = process.memoryUsage().rss;
  const response = await openClient().response;
  response.pause();
  await new Promise((resolve) => setTimeout(resolve, 700));
  const sent = fake.requests[0]!.bytesSent;
  // What lies in the kernel's buffers on both connections counts too.
  expect(sent).toBeLessThan(16 * 1024 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(fake.requests[0]!.bytesSent - sent).toBeLessThan(1024 * 1024);
  let read = 0;
  response.on('data', (chunk: Buffer) => {
    read += chunk.length;
  });
  response.resume();
  await expect.poll(() => read, { timeout: 20_000 }).toBeGreaterThan(sent);
  response.destroy();
  await fake.requests[0]!.ended;
});

test.each([[false], [true]])('a compressed answer is decompressed (stream: %s)', async (stream) => {
  fake.enqueue({ gzip: true });
  const response = await rig.chat({ stream });
  expect(response.headers.get('content-encoding')).toBeNull();
  const body = await response.text();
  // One try: a second one would come uncompressed and hide that the first could not be read.
  expect(fake.requests).toHaveLength(1);
  expect(fake.requests[0]?.headers['accept-encoding']).toBe('identity');
  if (stream) expect(body.endsWith('data: [DONE]\n\n')).toBe(true);
  else expect(JSON.parse(body).object).toBe('chat.completion');
});

test('a provider that answers a request for a stream with one body is told as a stream', async () => {
  const whole = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'some-model',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello there' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  };
  fake.enqueue({ contentType: 'application/json', body: JSON.stringify(whole) });
  const response = await rig.chat({ stream: true });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const body = await response.text();
  expect(body).toContain('Hello there');
  expect(body.endsWith('data: [DONE]\n\n')).toBe(true);
  const [record] = await rig.recorded(1);
  expect(record?.usage).toMatchObject({ inputTokens: 3, outputTokens: 2, estimated: false });
});

test('a stream without usage is counted and marked as an estimate', async () => {
  fake.enqueue({ usage: 'none' });
  await (await rig.chat({ stream: true })).text();
  const [record] = await rig.recorded(1);
  expect(record?.usage.estimated).toBe(true);
  expect(record?.usage.outputTokens).toBeGreaterThan(0);
});

test.each([
  ['in long words is no more than its maximum', ' gateway'.repeat(6), 6],
  ['that went on after its maximum is counted in full', ' gateway'.repeat(60), 120],
])('an answer without usage %s', async (_, text, outputTokens) => {
  fake.enqueue({ usage: 'none', text, ignoreMaxTokens: true });
  await (await rig.chat({ stream: true, max_tokens: 6 })).text();
  const [record] = await rig.recorded(1);
  expect(record?.usage).toMatchObject({ outputTokens, estimated: true });
});

test('text is kept for the records only when the operator asks for it', async () => {
  await (await rig.chat({ stream: true })).text();
  expect((await rig.recorded(1))[0]?.responseText).toBeNull();
  rig.snapshot = { ...rig.snapshot, settings: { ...rig.snapshot.settings, storePromptsAndAnswers: true } };
  fake.enqueue({ text: 'Words to be kept.' });
  await text(await openClient().response);
  expect((await rig.recorded(2))[1]?.responseText).toContain('Words to be kept.');
});

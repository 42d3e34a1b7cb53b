import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../core/ports.ts';
import { type DemoUpstreams, startDemoUpstreams } from './upstreams.ts';

let liveTimers = 0;
const clock: Clock = {
  now: () => Date.now(),
  tick: () => performance.now(),
  setTimer(delayMs, callback) {
    const end = (): void => {
      clearTimeout(timer);
      if (isLive) liveTimers -= 1;
      isLive = false;
    };
    let isLive = true;
    liveTimers += 1;
    const timer = setTimeout(() => {
      end();
      callback();
    }, delayMs);
    return { cancel: end };
  },
};

let demo: DemoUpstreams;
beforeAll(async () => {
  demo = await startDemoUpstreams({ clock });
});
beforeEach(() => {
  demo.up('llama-4-scout');
  demo.up('gpt-4o-mini');
});
afterAll(() => demo.close());

const clientOf = (model: string) => new OpenAI({ apiKey: 'none', baseURL: `${demo.url}/${model}/v1`, maxRetries: 0 });
const say = (content: string) => ({ model: 'm', max_tokens: 40, messages: [{ role: 'user' as const, content }] });

test('streams at the pace of a real model, and says that it is a demo', async () => {
  const startedAt = performance.now();
  const stream = await clientOf('llama-4-scout').chat.completions.create({
    ...say('Where am I?'),
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let firstTokenMs = 0;
  let usage: OpenAI.CompletionUsage | null | undefined;
  let pieces = 0;
  for await (const chunk of stream) {
    const piece = chunk.choices[0]?.delta.content;
    if (piece) {
      firstTokenMs ||= performance.now() - startedAt;
      text += piece;
      pieces += 1;
    }
    usage = chunk.usage;
  }
  const totalMs = performance.now() - startedAt;
  expect(text).toMatch(/^Hello from llama-4-scout, a model that the built-in demo simulates.*"Where am I\?"/s);
  expect(firstTokenMs).toBeGreaterThanOrEqual(75);
  expect(totalMs).toBeGreaterThanOrEqual(80 + (39 / 90) * 1000 - 30);
  expect(totalMs).toBeLessThan(3_000);
  expect(pieces).toBe(40);
  expect(usage).toMatchObject({ completion_tokens: 40 });
});

test('the whole answer is the streamed one', async () => {
  const client = clientOf('gpt-4o-mini');
  const whole = await client.chat.completions.create(say('Hi'));
  const streamed = await client.chat.completions.stream(say('Hi')).finalChatCompletion();
  expect(streamed.choices[0]!.message.content).toBe(whole.choices[0]!.message.content);
  expect(whole.choices[0]!.finish_reason).toBe('length');
  expect(whole.usage!.completion_tokens).toBe(40);
});

test('goes down and up again by message and by address, the other model staying up', async () => {
  const llama = clientOf('llama-4-scout');
  await llama.chat.completions.create({ ...say('/down'), max_tokens: 3 });
  await expect(llama.chat.completions.create(say('Hi'))).rejects.toMatchObject({ status: 503 });
  await expect(llama.models.list()).rejects.toMatchObject({ status: 503 });
  const up = await clientOf('gpt-4o-mini').chat.completions.create(say('/up'));
  expect(up.choices[0]!.message.content).toBe('llama-4-scout is up again.');
  expect((await llama.models.list()).data).toHaveLength(1);
  const control = await fetch(`${demo.url}/demo/llama-4-scout/down`, { method: 'POST' });
  expect(await control.json()).toEqual({ model: 'llama-4-scout', up: false });
  await expect(llama.models.list()).rejects.toMatchObject({ status: 503 });
  expect((await fetch(`${demo.url}/demo/nobody/down`, { method: 'POST' })).status).toBe(404);
});

test('completions, embeddings, bad bodies and unknown paths', async () => {
  const client = clientOf('llama-4-scout');
  const completion = await client.completions.create({ model: 'm', prompt: 'Once', max_tokens: 4 });
  expect(completion.choices[0]!.text).toMatch(/^Hello/);
  const streamed = await client.completions.create({ model: 'm', prompt: 'Once', max_tokens: 4, stream: true });
  let text = '';
  for await (const chunk of streamed) text += chunk.choices[0]!.text;
  expect(text).toBe(completion.choices[0]!.text);
  const vectors = await client.embeddings.create({
    model: 'm',
    input: ['red fox', 'red box'],
    encoding_format: 'float',
  });
  expect(Math.hypot(...vectors.data[1]!.embedding)).toBeCloseTo(1, 6);
  const post = (path: string, body: string) => fetch(`${demo.url}/llama-4-scout/v1/${path}`, { method: 'POST', body });
  expect((await post('chat/completions', '{"messages": [')).status).toBe(400);
  expect((await post('chat/completions', '[]')).status).toBe(400);
  expect((await post('images', '{}')).status).toBe(404);
});

test('an answer of no tokens still ends, and a caller who leaves stops the timers', async () => {
  const none = await clientOf('llama-4-scout').chat.completions.create({ ...say('Hi'), max_tokens: 0 });
  expect(none.choices[0]!.message.content).toBe('');
  const leaving = new AbortController();
  const cut = fetch(`${demo.url}/gpt-4o-mini/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ ...say('Hi'), stream: true }),
    signal: leaving.signal,
  });
  await cut;
  expect(liveTimers).toBe(1);
  leaving.abort();
  await expect.poll(() => liveTimers, { timeout: 200 }).toBe(0);
});

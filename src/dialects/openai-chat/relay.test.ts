import { expect, test } from 'vitest';
import { plainAnswer, relayAll } from '../../../test/contract/dialect.ts';
import { openaiChat } from './index.ts';

const chunk = (delta: object, more: object = {}, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'x', model: 'up', choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
const relay = (text: string, options = {}) => relayAll(openaiChat, [Buffer.from(text)], { ...plainAnswer, ...options });

test('the terminal event that a server leaves out is added', () => {
  const stream = chunk({ content: 'a' }) + chunk({}, {}, 'stop');
  expect(relay(stream).output.toString()).toBe(`${stream}data: [DONE]\n\n`);
});

test('an answer with one of two choices unfinished is not complete', () => {
  const second = `data: ${JSON.stringify({ id: 'x', choices: [{ index: 1, delta: { content: 'b' }, finish_reason: null }] })}\n\n`;
  expect(relay(second + chunk({}, {}, 'stop')).progress.ending).toBe('open');
});

test('an error inside the stream is kept back with all that follows it', () => {
  const good = chunk({ content: 'a' });
  const { output, progress } = relay(
    `${good}data: {"error":{"message":"maximum context length","code":429}}\n\n${good}`,
  );
  expect(output.toString()).toBe(good);
  expect(progress).toMatchObject({
    ending: 'error',
    error: { message: 'maximum context length', status: 429, kind: 'context_window' },
  });
});

test('what arrived before an unreadable event is delivered', () => {
  const good = chunk({ content: 'a' });
  const { output, progress } = relay(`${good}data: {oops\n\n`);
  expect(output.toString()).toBe(good);
  expect(progress).toMatchObject({ ending: 'error', error: { message: expect.stringContaining('not JSON') } });
});

test('usage that nobody asked for is taken out everywhere, with the chunk that held nothing else', () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const alone = `data: ${JSON.stringify({ id: 'x', model: 'up', choices: [], usage })}\n\n`;
  const words = (more: object) => ['a', 'bc', '"usage":null'].map((content) => chunk({ content }, more)).join('');
  const stream = words({ usage: null }) + chunk({}, { usage }, 'stop') + alone;
  const { output, progress } = relay(`${stream}data: [DONE]\n\n`, { usageInStream: false });
  expect(output.toString()).toBe(`${words({})}${chunk({}, {}, 'stop')}data: [DONE]\n\n`);
  const padded = [3, 9, 4].map((size) => chunk({ content: 'x' }, { usage: null, obfuscation: 'p'.repeat(size) }));
  const shown = [3, 9, 4].map((size) => chunk({ content: 'x' }, { obfuscation: 'p'.repeat(size) }));
  for (const [given, told] of [
    [padded.join(''), shown.join('')],
    [padded.join('').replaceAll('data: {"id"', 'data: {\ndata: "id"'), shown.join('')],
  ] as const) {
    const relayed = relay(given, { usageInStream: false, model: 'asked' }).output.toString();
    const expected = told.replaceAll('"up"', '"asked"');
    expect(relayed.replaceAll('{ "id"', '{"id"')).toBe(expected);
  }
  expect(progress).toMatchObject({ usage: { inputTokens: 1, outputTokens: 2 }, usageComplete: true });
});

test('text that looks like fields of a chunk is text', () => {
  const texts = [
    '"},"finish_reason":"stop"}]}',
    '"usage":{"prompt_tokens":9}',
    '\\',
    '\\"',
    'data: [DONE]\n\n',
    '[DONE]',
  ];
  const stream = texts.map((content) => chunk({ content })).join('');
  const { output, progress } = relay(stream);
  expect(output.toString()).toBe(stream);
  expect(progress).toMatchObject({ ending: 'open', finishReason: null, usage: undefined });
  const restamped = relay(stream, { model: 'a"b\\é' }).output.toString();
  const read = restamped
    .trimEnd()
    .split('\n\n')
    .map((event) => JSON.parse(event.slice(6)));
  expect(read.map(({ model }) => model)).toEqual(texts.map(() => 'a"b\\é'));
  expect(read.map(({ choices }) => choices[0].delta.content)).toEqual(texts);
});

test('the model name is found wherever it stands, and only at the top', () => {
  const late =
    'data: {"choices":[{"index":0,"delta":{"content":"\\"model\\":\\"up\\""},"model":"inner","finish_reason":null}],"model":"up"}\n\n';
  expect(relay(late + late, { model: 'asked' }).output.toString()).toBe(
    (late + late).replaceAll('"model":"up"}', '"model":"asked"}'),
  );
});

test('output is never counted below what was generated', () => {
  const texts = ['Hello', ' wörld', ' 你好', '"quoted"', '\n\n', ''];
  const stream = texts.map((content) => chunk({ content })).join('');
  const generated = Buffer.byteLength(texts.join(''));
  const { progress } = relay(stream);
  expect(progress.outputBytes).toBeGreaterThanOrEqual(generated);
  expect(progress.outputBytes).toBeLessThan(generated * 1.5);
  expect(progress.events).toBe(texts.length);
});

test('comments are passed on but are no events', () => {
  const { output, progress } = relay(': still here\n\n');
  expect(output.toString()).toBe(': still here\n\n');
  expect(progress.events).toBe(0);
});

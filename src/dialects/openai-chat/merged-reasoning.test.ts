import { expect, test } from 'vitest';
import { plainAnswer, relayAll } from '../../../test/contract/dialect.ts';
import { openaiChat } from './index.ts';

const options = { ...plainAnswer, mergesReasoning: true };
const chunk = (delta: object, finish: string | null = null, index = 0) =>
  `data: ${JSON.stringify({ id: 'x', model: 'up', choices: [{ index, delta, finish_reason: finish }], system_fingerprint: 'f' })}\n\n`;
const done = 'data: [DONE]\n\n';

function contents(output: string): string[] {
  return output
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)).choices[0]?.delta.content ?? '');
}
const relayed = (...chunks: string[]) =>
  relayAll(openaiChat, [Buffer.from(chunks.join('') + done)], options).output.toString();

test('a stream: thinking is opened once, closed before the first word, and the rest is as it came', () => {
  const output = relayed(
    chunk({ role: 'assistant', reasoning_content: 'Let ' }),
    chunk({ reasoning_content: 'me see.' }),
    chunk({ content: 'Four' }),
    chunk({ content: '.' }),
    chunk({}, 'stop'),
  );
  expect(contents(output)).toEqual(['<think>Let ', 'me see.', '</think>Four', '.', '']);
  expect(output).not.toContain('reasoning');
  expect(output.match(/system_fingerprint/g)).toHaveLength(5);
  expect(output).toContain('"role":"assistant"');
  expect(output.endsWith(done)).toBe(true);
});

test('a server that says `reasoning`, a call of a tool, and an end in the middle of a thought', () => {
  expect(contents(relayed(chunk({ reasoning: 'a' }), chunk({ content: 'b' }), chunk({}, 'stop')))).toEqual([
    '<think>a',
    '</think>b',
    '',
  ]);
  const call = { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '' } }] };
  expect(contents(relayed(chunk({ reasoning_content: 'a' }), chunk(call), chunk({}, 'tool_calls')))).toEqual([
    '<think>a',
    '</think>',
    '',
  ]);
  expect(contents(relayed(chunk({ reasoning_content: 'a' }), chunk({}, 'length')))).toEqual(['<think>a', '</think>']);
});

test('each of several choices thinks for itself', () => {
  const output = relayed(
    chunk({ reasoning_content: 'a' }),
    chunk({ reasoning_content: 'b' }, null, 1),
    chunk({ content: 'A' }),
    chunk({ content: 'B' }, null, 1),
    chunk({}, 'stop'),
    chunk({}, 'stop', 1),
  );
  expect(contents(output)).toEqual(['<think>a', '<think>b', '</think>A', '</think>B', '', '']);
});

test('an answer without reasoning passes as it came', () => {
  const chunks = [chunk({ content: 'a' }), chunk({ content: 'b' }), chunk({}, 'stop')];
  expect(relayed(...chunks)).toBe(chunks.join('') + done);
});

test('a whole answer, in its own words and translated', () => {
  const message = { role: 'assistant', content: 'Four.', reasoning_content: 'Let me see.' };
  const body = { id: 'x', model: 'up', choices: [{ index: 0, message, finish_reason: 'stop' }] };
  const merged = { role: 'assistant', content: '<think>Let me see.</think>Four.' };
  const edits = openaiChat.response.restamp!(body, { ...options, model: 'asked' });
  expect(Object.fromEntries(edits)).toEqual({
    model: 'asked',
    choices: [{ index: 0, message: merged, finish_reason: 'stop' }],
  });
  const translated = openaiChat.response.encode(openaiChat.response.decode(body), options) as unknown as typeof body;
  expect(translated.choices[0]!.message).toEqual(merged);
});

test('a translated stream: signatures and hidden thoughts are left out', () => {
  const encoder = openaiChat.streamEncoder(options);
  const output = [
    { type: 'start', id: 'x', model: 'up', createdAt: 1 },
    { type: 'reasoning-start', choice: 0, block: 0 },
    { type: 'reasoning-delta', choice: 0, block: 0, text: 'a' },
    { type: 'reasoning-signature', choice: 0, block: 0, signature: 's' },
    { type: 'reasoning-start', choice: 0, block: 1, redacted: 'r' },
    { type: 'text-delta', choice: 0, block: 2, text: 'b' },
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'end' },
  ].map((part) => encoder.encode(part as never));
  expect(contents(output.join(''))).toEqual(['', '<think>a', '</think>b', '']);
  expect(output.join('')).not.toMatch(/thinking_blocks|reasoning/);
});

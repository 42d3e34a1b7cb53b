import { expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json.ts';
import { dialects } from '../../../dialects/index.ts';
import { chatTexts } from './chat-texts.ts';

const read = (
  name: 'openai-chat' | 'anthropic-messages' | 'openai-embeddings',
  request: JsonObject,
  response: string | null,
) => {
  const { input, output } = chatTexts({ dialect: dialects.get(name)!, request, response });
  return { input: JSON.parse(input ?? 'null'), output: output === null ? null : JSON.parse(output) };
};

const call = { id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '{"of":"moon"}' } };
const conversation = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Where is the moon?' },
  { role: 'assistant', content: null, tool_calls: [call] },
  { role: 'tool', tool_call_id: 'call_1', content: 'Up.' },
];

it('tells a conversation with its system text, its calls and their results', () => {
  const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'It is up.' } }];
  const answer = { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices };
  expect(read('openai-chat', { model: 'm', messages: conversation }, JSON.stringify(answer))).toEqual({
    input: conversation,
    output: { role: 'assistant', content: 'It is up.' },
  });
});

it('tells every format alike', () => {
  const request = {
    model: 'm',
    max_tokens: 10,
    system: 'Be kind.',
    messages: [
      { role: 'user', content: 'Where is the moon?' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'look_up', input: { of: 'moon' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'Up.' }] },
    ],
  };
  expect(read('anthropic-messages', request, null)).toEqual({ input: conversation, output: null });
});

it('tells what is no conversation as it was sent, and what broke off as far as it came', () => {
  expect(read('openai-embeddings', { model: 'm', input: 'a text' }, null).input).toBe('a text');
  const { output } = read('openai-chat', { model: 'm', messages: conversation }, 'It is');
  expect(JSON.stringify(output)).toContain('It is');
});

import { describe, expect, test } from 'vitest';
import { plainAnswer, plainOptions } from '../../../test/contract/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { replicateChat } from './index.ts';

const user = (content: string) => ({ role: 'user', content });

function written(body: JsonObject, more = {}): JsonObject {
  const request = openaiChat.request.decode({ messages: [user('Hi')], ...body } as JsonObject);
  return replicateChat.request.encode(request, { ...plainOptions, model: 'meta/meta-llama-3-8b-instruct', ...more });
}

test('a question with its settings', () => {
  const messages = [{ role: 'system', content: 'Be brief.' }, user('Hi')];
  const settings = { temperature: 0.5, top_p: 0.9, top_k: 5, seed: 7, presence_penalty: 1 };
  const asked = { messages, max_tokens: 9, stop: ['a', 'b'], min_tokens: 2, ...settings };
  expect(written({ ...asked, user: 'u', stream: true })).toEqual({
    input: {
      prompt: 'Hi',
      system_prompt: 'Be brief.',
      max_tokens: 9,
      stop_sequences: 'a,b',
      min_tokens: 2,
      ...settings,
    },
  });
});

test.each([
  ['openai/gpt-4.1-mini', 'max_completion_tokens'],
  ['meta/llama-2-70b-chat', 'max_new_tokens'],
  ['meta/meta-llama-3.1-405b-instruct', 'max_tokens'],
  ['anthropic/claude-4-sonnet', 'max_tokens'],
])('the cap of %s', (model, name) => {
  expect(written({ max_tokens: 9 }, { model, maxOutputTokensClamp: 5 }).input).toEqual({ prompt: 'Hi', [name]: 5 });
});

test('what was asked is read again', () => {
  const messages = [{ role: 'system', content: 'Be brief.' }, user('Hi')];
  const asked = { model: '', messages, max_tokens: 9, stop: ['a', 'b'], temperature: 0.5 };
  const read = replicateChat.request.decode(written(asked as JsonObject));
  expect(read).toEqual(openaiChat.request.decode(asked as JsonObject));
});

test('an effort goes to the models of OpenAI', () => {
  const effort = (reasoning_effort: string) => written({ reasoning_effort }, { model: 'openai/gpt-5' }).input;
  expect(effort('low')).toEqual({ prompt: 'Hi', reasoning_effort: 'low' });
  expect(effort('none')).toEqual({ prompt: 'Hi' });
});

test('several turns are written out', () => {
  const messages = [user('Hi'), { role: 'assistant', content: 'Yes?' }, user('Go')];
  expect(written({ messages }).input).toEqual({ prompt: 'User: Hi\n\nAssistant: Yes?\n\nUser: Go\n\nAssistant:' });
});

describe('what it cannot say', () => {
  const picture = { type: 'image_url', image_url: { url: 'https://example.org/a.png' } };

  test.each<[JsonObject, string]>([
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, "parameters: ['tools']"],
    [{ n: 2 }, "parameters: ['n']"],
    [{ reasoning_effort: 'low' }, "parameters: ['reasoning_effort']"],
    [{ response_format: { type: 'json_object' } }, "parameters: ['response_format']"],
    [{ logprobs: true, logit_bias: { a: 1 } }, "parameters: ['logit_bias', 'logprobs']"],
    [{ stop: ['a,b'] }, 'stop sequences with a comma in them'],
    [{ messages: [{ role: 'user', content: [picture] }] } as JsonObject, 'content of type "image"'],
  ])('%j', (body, message) => {
    expect(() => written(body)).toThrow(`the model does not support ${message}`);
  });
});

test('an answer in pieces, counted', () => {
  const metrics = { input_token_count: 5, output_token_count: 2, predict_time: 0.1 };
  const body = { id: 'p1', model: 'meta/x', status: 'succeeded', output: ['Gr', 'üezi'], metrics };
  const answer = replicateChat.response.decode(body);
  expect(answer.usage).toMatchObject({ inputTokens: 5, outputTokens: 2 });
  expect(openaiChat.response.encode(answer, { ...plainAnswer, model: 'm' })).toMatchObject({
    model: 'm',
    choices: [{ message: { content: 'Grüezi' }, finish_reason: 'stop' }],
  });
  expect(replicateChat.response.decode({ output: 'whole' }).usage).toBeUndefined();
  expect(replicateChat.response.read(body)).toMatchObject({ id: 'p1', outputBytes: 7, usage: { outputTokens: 2 } });
  expect(() => replicateChat.response.decode({ status: 'failed', error: 'CUDA out of memory' })).toThrow('CUDA');
});

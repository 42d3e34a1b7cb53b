import { describe, expect, test } from 'vitest';
import { plainAnswer, plainOptions } from '../../../test/contract/dialect.ts';
import type { CallAside, CallsAside } from '../../core/dialect.ts';
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
  ['openai/gpt-5-structured', 'max_output_tokens'],
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

describe('what the model itself may have an input for', () => {
  const address = 'https://example.org/a.png';
  const small = 'data:image/png;base64,iVBORw0KGgo=';
  const large = `data:image/jpeg;base64,${'QUJD'.repeat(80_000)}`;
  const picture = (url: string) => ({ type: 'image_url', image_url: { url } });
  const sound = { type: 'input_audio', input_audio: { format: 'mp3', data: 'SUQz' } };
  const uri = { type: 'string', format: 'uri' };

  function asking(content: JsonObject[], more: JsonObject = {}): JsonObject {
    return written({ messages: [{ role: 'user', content }], ...more } as JsonObject, { model: 'google/gemini-3-pro' });
  }

  async function ready(body: JsonObject, properties: JsonObject, options = plainOptions) {
    const asked: CallAside[] = [];
    const later: CallAside[] = [];
    const model = { latest_version: { openapi_schema: { components: { schemas: { Input: { properties } } } } } };
    const made = await replicateChat.prepare!(body, {
      path: '/v1/models/google/gemini-3-pro/predictions',
      options,
      known: async (call) => {
        asked.push(call);
        return model;
      },
      ask: async (call) => ({ id: `f${asked.push(call)}`, urls: { get: `https://files.example/${asked.length}` } }),
      afterwards: (call) => void later.push(call),
    });
    return { input: made!.input, members: Object.keys(made!), asked, later };
  }

  test('goes where the model says: addresses as they are, what is large by the store', async () => {
    const text = { type: 'text', text: 'What is it?' };
    const body = asking([picture(address), picture(small), picture(large), sound, text]);
    const images = { type: 'array', items: uri };
    const { input, members, asked, later } = await ready(body, {
      prompt: {},
      output_format: uri,
      image_input: images,
      audio: uri,
    });
    expect(input).toEqual({
      prompt: 'What is it?',
      image_input: [address, small, 'https://files.example/2'],
      audio: 'data:audio/mp3;base64,SUQz',
    });
    expect(members).toEqual(['input']);
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/models/google/gemini-3-pro',
      'POST /v1/files',
    ]);
    expect(asked[1]!.form).toMatchObject([{ name: 'content', fileName: 'input.jpeg', mediaType: 'image/jpeg' }]);
    expect(later).toEqual([{ method: 'DELETE', path: '/v1/files/f2' }]);
  });

  test('is read again', () => {
    const read = replicateChat.request.decode(asking([picture(small), sound], { reasoning_effort: 'low' }));
    expect(read.messages[0]!.content.map(({ type }) => type)).toEqual(['image', 'audio', 'text']);
    expect(read.reasoning).toMatchObject({ effort: 'low' });
  });

  test.each<[JsonObject[], JsonObject, string]>([
    [[picture(small)], { prompt: {}, image_format: {}, mask_image: uri }, 'content of type "image"'],
    [[picture(small), picture(address)], { image: uri }, 'more than one image'],
    [[sound], { image: uri }, 'content of type "audio"'],
  ])('is refused where it has none: %#', async (content, properties, message) => {
    await expect(ready(asking(content), properties)).rejects.toThrow(`the model does not support ${message}`);
  });

  test('one image fits where one is taken', async () => {
    expect((await ready(asking([picture(address)]), { image: uri })).input).toEqual({ prompt: '', image: address });
  });

  test('an effort', async () => {
    const body = asking([], { reasoning_effort: 'high' });
    expect((await ready(body, { reasoning_effort: {} })).input).toMatchObject({ reasoning_effort: 'high' });
    await expect(ready(body, {})).rejects.toThrow("parameters: ['reasoning_effort']");
    expect((await ready(body, {}, { ...plainOptions, dropParams: true })).input).toEqual({ prompt: '' });
  });

  test('a description without inputs is no description', async () => {
    const aside = { path: '/v1/models/a/b/predictions', options: plainOptions, known: async () => ({}) };
    const promise = replicateChat.prepare!(asking([picture(small)]), aside as unknown as CallsAside);
    await expect(promise).rejects.toMatchObject({ code: 'upstream_connection' });
    expect(replicateChat.prepare!(written({}), aside as unknown as CallsAside)).toBeNull();
  });
});

describe('what it cannot say', () => {
  test.each<[JsonObject, string]>([
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, "parameters: ['tools']"],
    [{ n: 2 }, "parameters: ['n']"],
    [{ response_format: { type: 'json_object' } }, "parameters: ['response_format']"],
    [{ logprobs: true, logit_bias: { a: 1 } }, "parameters: ['logit_bias', 'logprobs']"],
    [{ stop: ['a,b'] }, 'stop sequences with a comma in them'],
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
  const shaped = replicateChat.response.decode({ output: { text: '{"a":1}', json_output: { a: 1 } } });
  expect(shaped.choices[0]!.content).toEqual([{ type: 'text', text: '{"a":1}' }]);
  expect(replicateChat.response.read(body)).toMatchObject({ id: 'p1', outputBytes: 7, usage: { outputTokens: 2 } });
  expect(() => replicateChat.response.decode({ status: 'failed', error: 'CUDA out of memory' })).toThrow('CUDA');
});

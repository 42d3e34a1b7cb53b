import { describe, expect, test } from 'vitest';
import { plainAnswer, plainOptions } from '../../../test/contract/dialect.ts';
import type { CallAside } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { gigachatChat } from './index.ts';

const state = '77d3fb14-457a-46ba-937e-8d856156d003';
const parameters = { type: 'object', properties: { city: { type: 'string' } } };
const tools = [{ type: 'function', function: { name: 'weather', description: 'd', parameters } }];
const call = (id: string) => ({ id, type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } });
const question = { role: 'user', content: [{ type: 'text', text: 'How warm?' }] };

function written(body: JsonObject, more = {}): JsonObject {
  const request = openaiChat.request.decode({ model: 'GigaChat-2', messages: [question], ...body } as JsonObject);
  return gigachatChat.request.encode(request, { ...plainOptions, model: 'GigaChat-2', ...more });
}

test('tools are functions, and each call stands before its result', () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    question,
    { role: 'assistant', content: 'Looking.', tool_calls: [call(state), call('call_2')] },
    { role: 'tool', tool_call_id: state, content: '{"degrees":7}' },
    { role: 'tool', tool_call_id: 'call_2', content: 'seven' },
    { role: 'system', content: 'In Celsius.' },
  ];
  const called = { name: 'weather', arguments: { city: 'Bern' } };
  expect(written({ messages, tools, tool_choice: 'auto', parallel_tool_calls: false, profanity_check: true })).toEqual({
    model: 'GigaChat-2',
    messages: [
      { role: 'system', content: 'Be brief.\nIn Celsius.' },
      { role: 'user', content: 'How warm?' },
      { role: 'assistant', content: 'Looking.', function_call: called, functions_state_id: state },
      { role: 'function', name: 'weather', content: '{"degrees":7}' },
      { role: 'assistant', content: '', function_call: called },
      { role: 'function', name: 'weather', content: '{"result":"seven"}' },
    ],
    functions: [{ name: 'weather', description: 'd', parameters }],
    function_call: 'auto',
    profanity_check: true,
  });
});

test('a state that lasts is sent with every call, and each call keeps its own result', () => {
  const twice = [`${state}_1`, `${state}_2`, 'call_1', 'call_1'];
  const messages = [
    question,
    ...twice.flatMap((id, index) => [
      { role: 'assistant', content: '', tool_calls: [call(id)] },
      { role: 'tool', tool_call_id: id, content: `r${index}` },
    ]),
  ];
  const sent = written({ messages } as JsonObject).messages as JsonObject[];
  expect(sent.map(({ functions_state_id: id }) => id).filter(Boolean)).toEqual([state, state]);
  expect(sent.filter(({ role }) => role === 'function').map(({ content }) => content)).toEqual(
    twice.map((_, index) => `{"result":"r${index}"}`),
  );
});

test('what was asked is read again', () => {
  const messages = [
    question,
    { role: 'assistant', content: 'Looking.', tool_calls: [call(state)] },
    { role: 'tool', tool_call_id: state, content: '{"degrees":7}' },
  ];
  const asked = {
    model: 'GigaChat-2',
    messages,
    tools,
    tool_choice: 'required',
  };
  const read = gigachatChat.request.decode(written(asked as JsonObject));
  expect(read).toEqual(openaiChat.request.decode(asked as JsonObject));
});

test.each<[JsonObject, unknown]>([
  [{ tool_choice: 'none' }, 'none'],
  [{ tool_choice: 'required' }, { name: 'weather' }],
  [{ tool_choice: { type: 'function', function: { name: 'weather' } } }, { name: 'weather' }],
  [{}, undefined],
])('%j', (choice, expected) => {
  expect(written({ tools, ...choice }).function_call).toEqual(expected);
});

describe('what is attached', () => {
  const png = 'data:image/png;base64,iVBORw0KGgo=';
  const image = { type: 'image_url', image_url: { url: png } };
  const sound = { type: 'input_audio', input_audio: { format: 'mp3', data: 'SUQz' } };
  const pdf = 'data:application/pdf;base64,JVBERi0=';
  const document = { type: 'file', file: { filename: 'Über "A".pdf', file_data: pdf } };
  const text = { type: 'text', text: 'What is it?' };
  const content = [image, sound, text, image, document];

  function ground() {
    const asked: CallAside[] = [];
    const later: CallAside[] = [];
    const aside = {
      path: '/api/v1/chat/completions?a=b',
      options: plainOptions,
      ask: async (call: CallAside): Promise<JsonObject> => ({ id: `id-${asked.push(call)}` }),
      known: () => Promise.reject(new Error('nothing is asked')),
      afterwards: (call: CallAside) => void later.push(call),
    };
    return { asked, later, aside };
  }

  test('may have a name that is no text', () => {
    const odd = { type: 'file', file: { filename: '\ud800.pdf', file_data: pdf } };
    const body = written({ messages: [{ role: 'user', content: [odd] }] } as JsonObject);
    expect(JSON.stringify(body.messages)).toContain('name=%EF%BF%BD.pdf');
  });

  test('waits in its place for its id; a message holds one image', () => {
    const body = written({ messages: [{ role: 'user', content }] } as JsonObject);
    const named = pdf.replace(';base64', ';name=%C3%9Cber%20%22A%22.pdf;base64');
    expect(body.messages).toEqual([
      { role: 'user', content: 'What is it?', attachments: [png, 'data:audio/mp3;base64,SUQz'] },
      { role: 'user', content: '', attachments: [png, named] },
    ]);
    expect(body.function_call).toBe('auto');
    const read = gigachatChat.request.decode(body);
    expect(read.messages.flatMap((message) => message.content.map(({ type }) => type))).toEqual([
      'image',
      'audio',
      'text',
      'image',
      'file',
    ]);
    expect(read.messages[1]!.content[1]).toMatchObject({ name: 'Über "A".pdf' });
  });

  test('goes into the store once, and away again', async () => {
    const { asked, later, aside } = ground();
    const body = written({ messages: [{ role: 'user', content }, question] } as JsonObject);
    const ready = await gigachatChat.prepare!(body, aside);
    expect((ready!.messages as JsonObject[]).map(({ attachments }) => attachments)).toEqual([
      ['id-1', 'id-2'],
      ['id-1', 'id-3'],
      undefined,
    ]);
    expect(asked.map(({ path }) => path)).toEqual(Array(3).fill('/api/v1/files?a=b'));
    expect(asked.map(({ form }) => form![0])).toMatchObject([
      { name: 'file', fileName: 'attachment.png', mediaType: 'image/png' },
      { fileName: 'attachment.mp3', mediaType: 'audio/mp3', bytes: Buffer.from('ID3') },
      { fileName: 'Über "A".pdf', mediaType: 'application/pdf' },
    ]);
    expect(asked[0]!.form![1]).toEqual({ name: 'purpose', value: 'general' });
    expect(later[2]).toEqual({ method: 'POST', path: '/api/v1/files/id-3/delete?a=b' });
    expect(gigachatChat.prepare!(written({}), aside)).toBeNull();
  });

  test('is refused where the store says no id', async () => {
    const { aside } = ground();
    const body = written({ messages: [{ role: 'user', content: [image] }] } as JsonObject);
    await expect(gigachatChat.prepare!(body, { ...aside, ask: async () => ({}) })).rejects.toThrow('id is missing');
  });
});

test('a shape and an effort', () => {
  const schema = { type: 'object' };
  const asked = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } } };
  const told = written({ ...asked, reasoning_effort: 'high' } as JsonObject);
  expect(told).toMatchObject({ response_format: { type: 'json_schema', schema, strict: true } });
  expect(told.reasoning_effort).toBe('high');
  expect(written({ reasoning_effort: 'minimal' }).reasoning_effort).toBe('low');
  expect(written({ reasoning_effort: 'none' })).not.toHaveProperty('reasoning_effort');
  expect(gigachatChat.request.decode(told).responseFormat).toMatchObject({ type: 'json_schema', schema, strict: true });
});

describe('what it cannot say', () => {
  const more = [...tools, { type: 'function', function: { name: 'time' } }];

  test.each<[JsonObject, string]>([
    [{ seed: 7, stop: ['x'] }, "parameters: ['seed', 'stop']"],
    [{ response_format: { type: 'json_object' } }, "parameters: ['response_format']"],
    [{ tools: more, tool_choice: 'required' }, "parameters: ['tool_choice']"],
    [
      { messages: [question, { role: 'tool', tool_call_id: 'x', content: 'y' }] },
      'the result of a tool call that is not before it: "x"',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.org/a' } }] }] },
      'images by address',
    ],
  ])('%j', (body, message) => {
    expect(() => written(body)).toThrow(`the model does not support ${message}`);
  });

  test('is dropped where the operator says so', () => {
    const told = written({ tools: more, tool_choice: 'required', seed: 7 }, { dropParams: true });
    expect(told).not.toHaveProperty('function_call');
    expect(told).not.toHaveProperty('seed');
  });
});

const asked = { role: 'assistant', content: '', function_call: { name: 'weather', arguments: { city: 'Bern' } } };
const usage = { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 };

test('a whole answer', () => {
  const choice = { index: 0, message: { ...asked, functions_state_id: state }, finish_reason: 'function_call' };
  const answer = gigachatChat.response.decode({ choices: [choice], created: 1, model: 'GigaChat-2', usage });
  const told = openaiChat.response.encode(answer, { ...plainAnswer, model: 'm' });
  expect(told.choices).toMatchObject([
    { finish_reason: 'tool_calls', message: { content: null, tool_calls: [call(`${state}_1`)] } },
  ]);
  expect(answer.usage).toMatchObject({ inputTokens: 5, outputTokens: 6 });
  const facts = gigachatChat.response.read({ choices: [choice], usage });
  expect(facts).toMatchObject({ finishReason: 'tool_calls', usage: { outputTokens: 6 } });
  expect(facts.outputBytes).toBeGreaterThan(10);
});

test('a stream, cut anywhere', () => {
  const chunk = (more: object) => `data: ${JSON.stringify({ created: 1, model: 'GigaChat-2', ...more })}\n\n`;
  const bytes = Buffer.from(
    chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'Ищу' } }] }) +
      chunk({ choices: [{ index: 0, delta: { ...asked, functions_state_id: state } }] }) +
      chunk({ choices: [{ index: 0, delta: { content: '' }, finish_reason: 'function_call' }], usage }) +
      'data: [DONE]\n\n',
  );
  for (const size of [1, 7, bytes.length]) {
    const decoder = gigachatChat.streamDecoder();
    const parts: StreamPart[] = [];
    for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size), parts);
    decoder.end(parts);
    expect(parts.find(({ type }) => type === 'text-delta')).toMatchObject({ text: 'Ищу' });
    expect(parts.find(({ type }) => type === 'tool-call-start')).toMatchObject({ id: `${state}_1`, name: 'weather' });
    expect(parts.find(({ type }) => type === 'tool-call-delta')).toMatchObject({ arguments: '{"city":"Bern"}' });
    expect(parts.find(({ type }) => type === 'finish')).toMatchObject({ reason: 'tool_calls' });
    expect(parts.at(-1)).toEqual({ type: 'end' });
  }
  const broken: StreamPart[] = [];
  const decoder = gigachatChat.streamDecoder();
  decoder.push(bytes.subarray(0, 150), broken);
  decoder.end(broken);
  expect(broken.at(-1)?.type).not.toBe('end');
});

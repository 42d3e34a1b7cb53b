import { describe, expect, it } from 'vitest';
import { plainAnswer, plainOptions } from '../../test/contract/dialect.ts';
import type { Dialect } from '../core/dialect.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { StreamPart } from '../core/neutral.ts';
import type { DialectName } from '../core/operation.ts';
import { dialects } from './index.ts';
import { signedCallId } from './thought-signature.ts';

const named = (name: DialectName): Dialect => dialects.get(name)!;
const png = 'iVBORw0KGgo=';
const parts = [{ text: 'Here: ' }, { inlineData: { mimeType: 'image/png', data: png } }];
const candidates = [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }];
const made = { candidates, usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 9, totalTokenCount: 12 } };

function streamed(from: DialectName, to: DialectName, bytes: string): string {
  const decoder = named(from).streamDecoder();
  const encoder = named(to).streamEncoder({ ...plainAnswer, model: 'm' });
  const heard: StreamPart[] = [];
  decoder.push(Buffer.from(bytes), heard);
  decoder.end(heard);
  return heard.map((part) => Buffer.from(encoder.encode(part) as string).toString()).join('');
}

function told(from: DialectName, to: DialectName, body: JsonObject): JsonObject {
  return named(to).response.encode(named(from).response.decode(body), { ...plainAnswer, model: 'm' });
}

describe('an image that Gemini made', () => {
  const image = { index: 0, type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } };

  it('stands beside the text of a chat message', () => {
    const { choices } = told('gemini-generate', 'openai-chat', made) as { choices: JsonObject[] };
    expect(choices[0]!.message).toMatchObject({ content: 'Here: ', images: [image] });
  });

  it('comes in a stream', () => {
    const stream = streamed('gemini-generate', 'openai-chat', `data: ${JSON.stringify(made)}\n\n`);
    expect(stream).toContain(`"delta":${JSON.stringify({ images: [image] })}`);
    const again: StreamPart[] = [];
    const decoder = named('openai-chat').streamDecoder();
    decoder.push(Buffer.from(stream), again);
    expect(again.find(({ type }) => type === 'image')).toMatchObject({
      source: { kind: 'base64', mediaType: 'image/png', base64: png },
    });
  });

  it('is what the image tool of Responses gives', () => {
    const { output } = told('gemini-generate', 'openai-responses', made) as { output: JsonObject[] };
    expect(output[1]).toMatchObject({ type: 'image_generation_call', status: 'completed', result: png });
    const stream = streamed('gemini-generate', 'openai-responses', `data: ${JSON.stringify(made)}\n\n`);
    expect(stream).toMatch(/response\.output_item\.done[^\n]*\n.*image_generation_call.*iVBORw0KGgo=/);
  });

  it('can be sent back', () => {
    const messages = [
      { role: 'user', content: 'Draw.' },
      { role: 'assistant', content: 'Here: ', images: [image] },
      { role: 'user', content: 'Bluer.' },
    ];
    const request = named('openai-chat').request.decode({ model: 'm', messages });
    const body = named('gemini-generate').request.encode(request, plainOptions) as { contents: { parts: Json[] }[] };
    expect(body.contents[1]!.parts).toEqual(parts);
  });
});

describe('sources of an answer', () => {
  const text = 'Grüezi aus Zürich.';
  const cited = { start_index: 11, end_index: 17, url: 'https://example.org/z', title: 'Zürich' };
  const segment = {
    startIndex: Buffer.byteLength(text.slice(0, 11)),
    endIndex: Buffer.byteLength(text.slice(0, 17)),
    text: 'Zürich',
  };
  const groundingMetadata = {
    groundingChunks: [{ web: { uri: cited.url, title: cited.title } }],
    groundingSupports: [{ segment, groundingChunkIndices: [0] }],
  };
  const grounded = {
    candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0, groundingMetadata }],
  };
  const chat = {
    id: 'c',
    model: 'm',
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        message: { role: 'assistant', content: text, annotations: [{ type: 'url_citation', url_citation: cited }] },
      },
    ],
  };

  it('are citations in characters, from bytes', () => {
    const { choices } = told('gemini-generate', 'openai-chat', grounded) as { choices: { message: JsonObject }[] };
    expect(choices[0]!.message.annotations).toEqual(chat.choices[0]!.message.annotations);
    const stream = streamed('gemini-generate', 'openai-chat', `data: ${JSON.stringify(grounded)}\n\n`);
    expect(stream).toContain(JSON.stringify({ annotations: chat.choices[0]!.message.annotations }));
  });

  it('are grounding to callers of Gemini, also in a stream', () => {
    const { candidates } = told('openai-chat', 'gemini-generate', chat) as { candidates: JsonObject[] };
    expect(candidates[0]!.groundingMetadata).toEqual(groundingMetadata);
    const { annotations } = chat.choices[0]!.message;
    const chunks = [{ delta: { content: text } }, { delta: { annotations } }, { delta: {}, finish_reason: 'stop' }];
    const events = chunks.map(
      (choice) => `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, ...choice }] })}\n\n`,
    );
    const stream = streamed('openai-chat', 'gemini-generate', `${events.join('')}data: [DONE]\n\n`);
    expect(stream).toContain(JSON.stringify(groundingMetadata).slice(1, -1));
  });
});

it('a signed call of Gemini reaches OpenAI’s Responses under its own id', () => {
  const id = signedCallId('call_1', 'proof');
  const messages = [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: id, content: 'sunny' },
  ];
  const request = named('openai-chat').request.decode({ model: 'm', messages });
  const body = named('openai-responses').request.encode(request, plainOptions) as { input: JsonObject[] };
  expect(body.input.flatMap(({ call_id }) => (call_id === undefined ? [] : [call_id]))).toEqual(['call_1', 'call_1']);

  const input = [
    { type: 'function_call', call_id: id, name: 'f', arguments: '{}' },
    { type: 'function_call_output', call_id: id, output: 'sunny' },
  ];
  const edits = named('openai-responses').passThrough({ model: 'm', input }, plainOptions);
  expect(edits.get('input')).toEqual(input.map((item) => ({ ...item, call_id: 'call_1' })));
});

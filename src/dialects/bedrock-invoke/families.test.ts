import { describe, expect, it, test } from 'vitest';
import { plainAnswer } from '../../../test/contract/dialect.ts';
import { AwsChunkFraming } from '../../core/aws-event-chunks.ts';
import type { JsonObject } from '../../core/json.ts';
import type { NeutralResponse, StreamPart } from '../../core/neutral.ts';
import { noUsage } from '../../core/usage.ts';
import { bedrockInvoke } from './index.ts';
import { turnsIn } from './turns.ts';

const usage = { ...noUsage, inputTokens: 7, outputTokens: 3 };
const answer: NeutralResponse = {
  id: 'a1',
  model: 'm',
  createdAt: 1,
  choices: [{ index: 0, content: [{ type: 'text', text: 'Grüezi 世界' }], finishReason: 'length' }],
  usage,
  extra: {},
};
const parts: StreamPart[] = [
  { type: 'start', id: 'a1', model: 'm', createdAt: 1 },
  { type: 'text-start', choice: 0, block: 0 },
  { type: 'text-delta', choice: 0, block: 0, text: 'Grüezi ' },
  { type: 'text-delta', choice: 0, block: 0, text: '世界' },
  { type: 'block-end', choice: 0, block: 0 },
  { type: 'usage', usage },
  { type: 'finish', choice: 0, reason: 'length' },
  { type: 'end' },
];

const settings = { maxOutputTokens: 9, temperature: 0.5, topP: 0.9 };
const user = (text: string) => [{ role: 'user', content: [{ type: 'text', text }] }];

/** Model in the path, a body, what is read of it, and how an answer is told. */
const families: readonly (readonly [string, JsonObject, object, object])[] = [
  [
    'amazon.titan-text-express-v1',
    { inputText: 'Hi', textGenerationConfig: { maxTokenCount: 9, temperature: 0.5, topP: 0.9, stopSequences: ['X'] } },
    { ...settings, stop: ['X'], messages: user('Hi') },
    {
      inputTextTokenCount: 7,
      results: [{ tokenCount: 3, outputText: 'Grüezi 世界', completionReason: 'LENGTH' }],
    },
  ],
  [
    'meta.llama3-8b-instruct-v1:0',
    { prompt: 'Hi', max_gen_len: 9, temperature: 0.5, top_p: 0.9 },
    { ...settings, messages: user('Hi') },
    { generation: 'Grüezi 世界', prompt_token_count: 7, generation_token_count: 3, stop_reason: 'length' },
  ],
  [
    'mistral.mistral-7b-instruct-v0:2',
    { prompt: '<s>[INST] Hi [/INST]', max_tokens: 9, temperature: 0.5, top_p: 0.9, top_k: 5, stop: ['X'] },
    { ...settings, topK: 5, stop: ['X'], messages: user('Hi') },
    { outputs: [{ text: 'Grüezi 世界', stop_reason: 'length' }] },
  ],
  [
    'us.deepseek.r1-v1:0',
    { prompt: '<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜>', max_tokens: 9, temperature: 0.5, top_p: 0.9 },
    { ...settings, messages: user('Hi') },
    { choices: [{ text: 'Grüezi 世界', stop_reason: 'length' }] },
  ],
  [
    'cohere.command-text-v14',
    { prompt: 'Hi', max_tokens: 9, temperature: 0.5, p: 0.9, k: 5, stop_sequences: ['X'] },
    { ...settings, topK: 5, stop: ['X'], messages: user('Hi') },
    { generations: [{ text: 'Grüezi 世界', finish_reason: 'MAX_TOKENS' }] },
  ],
  [
    'cohere.command-r-v1:0',
    {
      message: 'Hi',
      preamble: 'Be brief.',
      chat_history: [
        { role: 'USER', message: 'Before' },
        { role: 'CHATBOT', message: 'Then' },
      ],
      max_tokens: 9,
      temperature: 0.5,
      p: 0.9,
    },
    {
      ...settings,
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [...user('Before'), { role: 'assistant', content: [{ type: 'text', text: 'Then' }] }, ...user('Hi')],
    },
    { text: 'Grüezi 世界', finish_reason: 'MAX_TOKENS' },
  ],
  [
    'amazon.nova-lite-v1:0',
    {
      schemaVersion: 'messages-v1',
      system: [{ text: 'Be brief.' }],
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
      inferenceConfig: { max_new_tokens: 9, temperature: 0.5, topP: 0.9, topK: 5 },
    },
    { ...settings, topK: 5, system: [{ type: 'text', text: 'Be brief.' }], messages: user('Hi') },
    {
      output: { message: { role: 'assistant', content: [{ text: 'Grüezi 世界' }] } },
      stopReason: 'max_tokens',
      usage: { inputTokens: 7, outputTokens: 3, totalTokens: 10 },
    },
  ],
  [
    'ai21.jamba-1-5-mini-v1:0',
    { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9, temperature: 0.5, top_p: 0.9 },
    { ...settings, messages: user('Hi') },
    {
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Grüezi 世界' },
          finish_reason: 'length',
          stop_reason: 'length',
        },
      ],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
    },
  ],
];

describe.each(families)('the body of %s', (model, body, read, told) => {
  const address = { model, stream: true, query: '' };
  const dialect = bedrockInvoke.kindOf!(body, address);

  it('is known, read, and answered in its own words', () => {
    expect(dialect.name).toBe('bedrock-invoke');
    expect(dialect.variantOf).toBeUndefined();
    const facts = dialect.inspect(body, address);
    expect(facts).toMatchObject({ maxOutputTokens: 9, choices: 1 });
    expect(dialect.request.decode(body)).toMatchObject(read);
    expect(dialect.response.encode(answer, { ...plainAnswer, model })).toMatchObject(told);
  });

  it('gets a stream that reads back as it was', () => {
    const encoder = dialect.streamEncoder({ ...plainAnswer, model });
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(encoder.encode(part))));
    const decoder = dialect.streamDecoder();
    const heard: StreamPart[] = [];
    for (const byte of bytes) decoder.push(Uint8Array.of(byte), heard);
    decoder.end(heard);
    expect(heard.flatMap((part) => (part.type === 'text-delta' ? [part.text] : [])).join('')).toBe('Grüezi 世界');
    expect(heard.find(({ type }) => type === 'finish')).toMatchObject({ reason: 'length' });
    expect(heard.at(-1)).toEqual({ type: 'end' });
    const events = new AwsChunkFraming().push(bytes)!.toString();
    expect(events).not.toContain('[DONE]');
  });

  it('is kept and told again', () => {
    const again = dialect.response.decode(dialect.response.encode(answer, { ...plainAnswer, model }));
    expect(again.choices[0]).toMatchObject({
      content: [{ type: 'text', text: 'Grüezi 世界' }],
      finishReason: 'length',
    });
  });
});

test.each([
  [{}, 'm', 'body: expected that of a model of Anthropic'],
  [{ prompt: 'Hi' }, 'mine', 'prompt: the family of "mine" is not to be seen'],
  [{ inputText: 'Hi', textGenerationConfig: { maxTokenCount: 'x' } }, 'm', 'textGenerationConfig.maxTokenCount'],
  [{ prompt: 'Hi', max_gen_len: 0 }, 'm', 'max_gen_len: expected a whole number of at least 1'],
  [{ message: 'Hi', chat_history: [3] }, 'm', 'chat_history[0]: expected an object'],
])('%j is refused', (body, model, message) => {
  const address = { model, stream: false, query: '' };
  expect(() => bedrockInvoke.kindOf!(body, address).inspect(body, address)).toThrow(message);
});

describe('a conversation written out as one text', () => {
  const turn = (role: string, text: string) => ({ role, content: [{ type: 'text', text }] });

  it.each([
    [
      '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nGo<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    ],
    ['<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Yes?</s><s>[INST] Go [/INST]'],
    ['<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜>Yes?<｜end▁of▁sentence｜><｜User｜>Go<｜Assistant｜>'],
    ['Be brief.\nUser: Hi\nBot: Yes?\nUser: Go\nBot:'],
  ])('%s', (prompt) => {
    expect(turnsIn(prompt)).toEqual({
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [turn('user', 'Hi'), turn('assistant', 'Yes?'), turn('user', 'Go')],
    });
  });

  it('is what the user says where it bears no marks', () => {
    expect(turnsIn('Count to ten.')).toEqual({ system: [], messages: [turn('user', 'Count to ten.')] });
  });
});

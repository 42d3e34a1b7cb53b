import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeProvider, resetAt, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

let fake: FakeProvider;
let rig: GatewayRig;

beforeAll(async () => {
  fake = await startFakeProvider({ strict: true });
  rig = await startGatewayRig(`model_list:
${deployment('chat', fake.url, 'openai/some-model')}
${deployment('chat-only', fake.url, 'hosted_vllm/some-model')}
${deployment('responses-only', fake.url, 'openai/some-pro')}
    model_info: {mode: responses}
${deployment('claude', fake.url, 'anthropic/some-claude', { api_base: fake.url })}
${deployment('gemini', fake.url, 'gemini/gemini-2.5-flash')}
${deployment('cohere', fake.url, 'cohere/command-a', { api_base: fake.url })}
${deployment('ollama', fake.url, 'ollama/llama3.2', { api_base: fake.url })}
${deployment('nova', fake.url, 'bedrock/us.amazon.nova-pro-v1:0', { api_base: fake.url })}
${deployment('claude-on-bedrock', fake.url, 'bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0', { api_base: fake.url })}
litellm_settings: {cache: true, cache_params: {type: local, mode: default_off}}
router_settings: {num_retries: 0}
`);
});
afterAll(async () => {
  await rig.close();
  await fake.close();
});

const question = [{ role: 'user', content: 'Hello' }];

/** A format that callers speak: how it asks, and how a stream that is complete, or broken, reads in it. */
interface Caller {
  readonly path: (model: string, stream: boolean) => string;
  readonly body: (model: string, stream: boolean, temperature: number | undefined) => object;
  /** What a stream says, where its events do not hold it as it is. */
  readonly says?: (text: string) => string;
  readonly isComplete: (text: string) => boolean;
  readonly isBroken: (text: string) => boolean;
}

const endsWithError = (text: string) => text.trimEnd().split('\n\n').at(-1)?.includes('"error"') === true;

function named(path: string, asked: object, isComplete: Caller['isComplete']): Caller {
  return {
    path: () => path,
    body: (model, stream, temperature) => ({ model, ...asked, ...(stream && { stream }), temperature }),
    isComplete,
    isBroken: (text) => !isComplete(text) && endsWithError(text),
  };
}

const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }];
/** The two ways to read one format share their cached answers: each asks for something else. */
const generate = (maxOutputTokens: number) => ({
  body: (_model: string, _stream: boolean, temperature: number | undefined) => ({
    contents,
    generationConfig: { maxOutputTokens, temperature },
  }),
});
const listed = (text: string) => JSON.parse(text) as { error?: object; candidates?: { finishReason?: string }[] }[];

const callers: Record<string, Caller> = {
  openai: named('/v1/chat/completions', { max_tokens: 200, messages: question }, (text) =>
    text.endsWith('data: [DONE]\n\n'),
  ),
  responses: named('/v1/responses', { input: question }, (text) => text.includes('event: response.completed')),
  anthropic: named('/v1/messages', { max_tokens: 200, messages: question }, (text) =>
    text.includes('event: message_stop'),
  ),
  gemini: {
    ...generate(200),
    path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    isComplete: (text) => text.includes('"finishReason":"STOP"') && !endsWithError(text),
    isBroken: endsWithError,
  },
  'gemini as a list': {
    ...generate(201),
    path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent' : 'generateContent'}`,
    isComplete: (text) => listed(text).at(-1)?.candidates?.[0]?.finishReason === 'STOP',
    isBroken: (text) => listed(text).at(-1)?.error !== undefined,
  },
};
const converse = { path: (model: string, stream: boolean) => `/model/${model}/converse${stream ? '-stream' : ''}` };
const invoke = {
  path: (model: string, stream: boolean) => `/model/${model}/invoke${stream ? '-with-response-stream' : ''}`,
};
callers.bedrock = {
  ...converse,
  body: (_model, _stream, temperature) => ({
    messages: [{ role: 'user', content: [{ text: 'Hello' }] }],
    inferenceConfig: { maxTokens: 200, temperature },
  }),
  isComplete: (text) => text.includes('messageStop') && text.includes('metadata'),
  isBroken: (text) => text.includes('exception') && !text.includes('messageStop'),
};
const unpacked = (text: string) =>
  [...text.matchAll(/"bytes":"([^"]+)"/g)].map(([, bytes]) => Buffer.from(bytes!, 'base64').toString()).join('');
callers['bedrock with a body of Anthropic'] = {
  ...invoke,
  body: (_model, _stream, temperature) => ({
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 201,
    messages: question,
    temperature,
  }),
  says: unpacked,
  isComplete: (text) => unpacked(text).includes('"message_stop"'),
  isBroken: (text) => text.includes('exception') && !text.includes('messageStop'),
};
callers.cohere = {
  ...named('/v2/chat', { max_tokens: 200, messages: question }, (text) => text.includes('"finish_reason":"COMPLETE"')),
  isBroken: (text) => text.includes('"finish_reason":"ERROR"') && !text.includes('COMPLETE'),
};
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { done?: boolean; error?: string });
const ollama = (path: string, asked: object): Caller => ({
  path: () => path,
  body: (model, stream, temperature) => ({ model, stream, ...asked, options: { num_predict: 200, temperature } }),
  isComplete: (text) => lines(text).at(-1)?.done === true,
  isBroken: (text) => lines(text).at(-1)?.error !== undefined,
});
callers.ollama = ollama('/api/chat', { messages: question });
callers['ollama with a prompt'] = ollama('/api/generate', { prompt: 'Hello' });

const ownMetadata = ['anthropic', 'responses'];

describe.each(Object.entries(callers))('a caller speaking %s', (name, caller) => {
  describe.each([
    ['chat'],
    ['chat-only'],
    ['responses-only'],
    ['claude'],
    ['gemini'],
    ['cohere'],
    ['ollama'],
    ['nova'],
    ['claude-on-bedrock'],
  ])('to the group %s', (model) => {
    const cache = { cache: { 'use-cache': true }, ...(ownMetadata.includes(name) && { litellm_metadata: {} }) };
    const ask = async (stream: boolean, temperature?: number) => {
      const body = { ...caller.body(model, stream, temperature), ...cache };
      return (await rig.post(caller.path(model, stream), body)).text();
    };

    test('gets a whole answer, a stream, and both again from the cache', async () => {
      fake.enqueue({ text: 'Plain words.' }, { text: 'Words in pieces.' });
      const before = fake.requests.length;
      expect(await ask(false)).toContain('Plain words.');
      expect(caller.isComplete(await ask(true, 0.5))).toBe(true);
      expect(await ask(false, 0.5)).toContain('Words in pieces.');
      const replayed = await ask(true);
      expect(caller.says?.(replayed) ?? replayed).toContain('Plain words.');
      expect(caller.isComplete(replayed)).toBe(true);
      expect(fake.requests.length - before).toBe(2);
    });

    test('is told of a stream that broke in its own words', async () => {
      fake.enqueue({ ...resetAt({ event: 6 }), delayBetweenEventsMs: 3 });
      const text = await (await rig.post(caller.path(model, true), caller.body(model, true, undefined))).text();
      expect(caller.isBroken(text)).toBe(true);
    });
  });
});

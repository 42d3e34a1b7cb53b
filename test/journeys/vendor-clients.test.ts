import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { ApiError, GoogleGenAI } from '@google/genai';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, masterKey, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/* What Google’s and Amazon’s own clients do beside answers and tools (every-client.test.ts), against every kind of upstream. */

const upstreams = ['chat', 'claude', 'gemini', 'nova', 'claude-on-bedrock'];

let fake: FakeProvider;
let rig: GatewayRig;
let google: GoogleGenAI;
let amazon: BedrockRuntimeClient;

beforeAll(async () => {
  fake = await startFakeProvider({ strict: true });
  rig = await startGatewayRig(`model_list:
${deployment('chat', fake.url, 'openai/some-model')}
${deployment('claude', fake.url, 'anthropic/claude-sonnet-4-5', { api_base: fake.url })}
${deployment('gemini', fake.url, 'gemini/gemini-2.5-flash')}
${deployment('nova', fake.url, 'bedrock/us.amazon.nova-pro-v1:0', { api_base: fake.url })}
${deployment('claude-on-bedrock', fake.url, 'bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0', { api_base: fake.url })}
${deployment('vectors', fake.url, 'openai/text-embedding-3-small')}
${deployment('amazon.titan-embed-text-v2:0', fake.url, 'openai/text-embedding-3-small')}
${deployment('cohere.embed-english-v3', fake.url, 'openai/text-embedding-3-small')}
${deployment('cohere.rerank-v3-5:0', fake.url, 'jina_ai/jina-reranker-v2')}
router_settings: {num_retries: 0}
`);
  google = new GoogleGenAI({ apiKey: masterKey, httpOptions: { baseUrl: rig.url } });
  amazon = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: rig.url,
    token: { token: masterKey },
    authSchemePreference: ['httpBearerAuth'],
    // Its default speaks HTTP/2 alone.
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  });
});
beforeEach(() => fake.setDefault({}));
afterAll(async () => {
  amazon.destroy();
  await rig.close();
  await fake.close();
});

describe.each(upstreams)('the client of Google, in front of %s', (model) => {
  it('gets thoughts, and sends their signature back to whoever made it', async () => {
    if (model === 'chat') return;
    fake.setDefault({ text: 'Four.', reasoning: 'Two and two.', reasoningSignature: 'c2lnbmF0dXJl' });
    const config = { thinkingConfig: { thinkingBudget: 1_024, includeThoughts: true }, maxOutputTokens: 4_000 };
    const whole = await google.models.generateContent({ model, contents: '2+2?', config });
    const content = whole.candidates![0]!.content!;
    expect(content.parts?.filter((part) => part.thought).map((part) => part.text)).toEqual(['Two and two.']);
    const contents = [
      { role: 'user', parts: [{ text: '2+2?' }] },
      content,
      { role: 'user', parts: [{ text: 'Sure?' }] },
    ];
    await google.models.generateContent({ model, contents, config });
    expect(fake.requests.at(-1)!.body.toString()).toContain('"c2lnbmF0dXJl"');
  });
});

it.each(['chat', 'claude', 'nova'])('the client of Google has tokens counted for %s', async (model) => {
  const counted = await google.models.countTokens({ model, contents: 'How many tokens are these words?' });
  expect(counted.totalTokens).toBeGreaterThan(5);
});

it('the client of Google gets vectors of a model that speaks another format', async () => {
  const { embeddings } = await google.models.embedContent({ model: 'vectors', contents: ['one', 'two'] });
  expect(embeddings).toHaveLength(2);
  expect(embeddings![0]!.values!.length).toBeGreaterThan(3);
});

it('the client of Google reads errors as its own', async () => {
  const asked = google.models.generateContent({ model: 'nobody', contents: 'Hello' });
  await expect(asked).rejects.toThrow(ApiError);
  await expect(asked).rejects.toMatchObject({ status: 400 });
  const wrongKey = new GoogleGenAI({ apiKey: 'sk-wrong', httpOptions: { baseUrl: rig.url } });
  const refused = wrongKey.models.generateContent({ model: 'gemini', contents: 'Hello' });
  await expect(refused).rejects.toMatchObject({ status: 401 });
});

describe.each(upstreams)('the client of Amazon, in front of %s', (modelId) => {
  it('invokes with a body of Anthropic’s', async () => {
    fake.setDefault({ text: 'As Claude says.' });
    const body = JSON.stringify({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 200,
      messages: [{ role: 'user', content: 'Hello' }],
    });
    const whole = await amazon.send(new InvokeModelCommand({ modelId, body }));
    expect(JSON.parse(Buffer.from(whole.body).toString()).content[0].text).toBe('As Claude says.');
    const streamed = await amazon.send(new InvokeModelWithResponseStreamCommand({ modelId, body }));
    const types: string[] = [];
    for await (const event of streamed.body!) {
      types.push(JSON.parse(Buffer.from(event.chunk!.bytes!).toString()).type);
    }
    expect([types[0], types.at(-1)]).toEqual(['message_start', 'message_stop']);
  });
});

/** The text of an answer or an event: what the first member of this name says. */
function said(bytes: Uint8Array | undefined, member: string): string {
  const match = new RegExp(`"${member}":("(?:[^"\\\\]|\\\\.)*")`).exec(Buffer.from(bytes!).toString());
  return match === null ? '' : (JSON.parse(match[1]!) as string);
}

describe.each([
  ['Titan', { inputText: 'Hello' }, 'outputText'],
  ['Llama', { prompt: 'Hello', max_gen_len: 200 }, 'generation'],
  ['Mistral', { prompt: '<s>[INST] Hello [/INST]', max_tokens: 200 }, 'text'],
  ['Cohere', { message: 'Hello', max_tokens: 200 }, 'text'],
  ['Nova', { messages: [{ role: 'user', content: [{ text: 'Hello' }] }], inferenceConfig: { maxTokens: 200 } }, 'text'],
  ['AI21', { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 200 }, 'content'],
])('the client of Amazon, with a body of %s', (_name, asked, member) => {
  it.each(['nova', 'claude', 'chat'])('is answered by %s', async (modelId) => {
    fake.setDefault({ text: 'Grüezi, 世界 👋' });
    const body = JSON.stringify(asked);
    const whole = await amazon.send(new InvokeModelCommand({ modelId, body }));
    expect(said(whole.body, member)).toBe('Grüezi, 世界 👋');
    const streamed = await amazon.send(new InvokeModelWithResponseStreamCommand({ modelId, body }));
    let text = '';
    for await (const event of streamed.body!) text += said(event.chunk!.bytes, member);
    expect(text).toBe('Grüezi, 世界 👋');
  });
});

const invoked = async (modelId: string, asked: object) => {
  const { body } = await amazon.send(new InvokeModelCommand({ modelId, body: JSON.stringify(asked) }));
  return JSON.parse(Buffer.from(body).toString());
};

it('the client of Amazon invokes models that rank', async () => {
  const asked = { api_version: 2, query: 'q', documents: ['a', 'longer'], top_n: 1 };
  expect(await invoked('cohere.rerank-v3-5:0', asked)).toEqual({ results: [{ index: 1, relevance_score: 1 }] });
  expect(fake.requests.at(-1)!.json).toEqual({
    model: 'jina-reranker-v2',
    query: 'q',
    documents: ['a', 'longer'],
    top_n: 1,
  });
  await expect(invoked('cohere.rerank-v3-5:0', { ...asked, documents: 'a' })).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining('documents: expected a list'),
  });
});

it('the client of Amazon invokes models that embed', async () => {
  const titan = await invoked('amazon.titan-embed-text-v2:0', { inputText: 'Hello' });
  expect(titan.embedding.length).toBeGreaterThan(1);
  expect(titan.inputTextTokenCount).toBeGreaterThan(0);
  const cohere = await invoked('cohere.embed-english-v3', { texts: ['a', 'b'], input_type: 'search_query' });
  expect(cohere.embeddings).toHaveLength(2);
  expect(cohere.embeddings[0][0]).toBeTypeOf('number');
  const asked = { texts: ['a', 'b'], input_type: 'search_query', embedding_types: ['float'] };
  expect((await invoked('cohere.embed-english-v3', asked)).embeddings.float).toHaveLength(2);
  await expect(invoked('cohere.embed-english-v3', { texts: 'a' })).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining('texts'),
  });
  await expect(invoked('amazon.titan-embed-text-v2:0', { inputTexts: 'Hello' })).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining('inputText'),
  });
});

it('the client of Amazon reads errors as its own, before a stream and in it', async () => {
  const messages = [{ role: 'user' as const, content: [{ text: 'Hello' }] }];
  await expect(amazon.send(new ConverseCommand({ modelId: 'nobody', messages }))).rejects.toMatchObject({
    name: 'ValidationException',
  });
  fake.setDefault({ status: 429, error: { message: 'Slow down.' } });
  await expect(amazon.send(new ConverseCommand({ modelId: 'nova', messages }))).rejects.toMatchObject({
    name: 'ThrottlingException',
  });
  fake.setDefault({ errorAtEvent: 6 });
  const { stream } = await amazon.send(new ConverseStreamCommand({ modelId: 'nova', messages }));
  const read = async () => {
    for await (const _event of stream!);
  };
  await expect(read()).rejects.toMatchObject({ name: 'ThrottlingException' });
});

const image = { image: { format: 'png', source: { s3Location: { uri: 's3://b/k' } } } };
const wrong: readonly (readonly [string, string, object, RegExp])[] = [
  ['contents that are no list', '/v1beta/models/chat:generateContent', { contents: 'Hi' }, /contents: expected a list/],
  ['no contents', '/v1beta/models/chat:generateContent', {}, /contents: expected a list, got nothing/],
  [
    'a role that is none',
    '/v1beta/models/chat:generateContent',
    { contents: [{ role: 'boss', parts: [] }] },
    /contents\[0\]\.role: expected "user" or "model", got "boss"/,
  ],
  [
    'a number that is a text',
    '/v1beta/models/gemini:streamGenerateContent?alt=sse',
    { contents: [{ parts: [{ text: 'x' }] }], generationConfig: { temperature: 'hot' } },
    /generationConfig\.temperature: expected a number, got a string/,
  ],
  [
    'what the provider cannot be told',
    '/v1beta/models/claude:generateContent',
    { contents: [{ parts: [{ text: 'x' }] }], generationConfig: { responseModalities: ['IMAGE'] } },
    /responseModalities/,
  ],
  [
    'a part that only Google knows',
    '/v1beta/models/chat:generateContent',
    { contents: [{ parts: [{ executableCode: { code: 'x' } }] }] },
    /does not support content/,
  ],
  ['messages that are no list', '/model/nova/converse', { messages: {} }, /messages: expected a list, got an object/],
  [
    'content that is a text',
    '/model/nova/converse-stream',
    { messages: [{ role: 'user', content: 'Hi' }] },
    /messages\[0\]\.content: expected a list of content blocks, got a string/,
  ],
  [
    'a maximum below one',
    '/model/chat/converse',
    { messages: [{ role: 'user', content: [{ text: 'x' }] }], inferenceConfig: { maxTokens: 0 } },
    /inferenceConfig\.maxTokens: expected a whole number of at least 1/,
  ],
  [
    'a picture where only Amazon can read it',
    '/model/chat/converse',
    { messages: [{ role: 'user', content: [image] }] },
    /does not support content/,
  ],
  ['a body of another maker', '/model/nova/invoke', { question: 'Hi' }, /body: expected that of a model of Anthropic/],
];

it.each(wrong)('%s: refused with the field, in the words of the format', async (_what, path, body, message) => {
  const answer = await rig.post(path, body);
  expect(answer.status).toBe(400);
  const told = (await answer.json()) as { error?: { code: number; status: string; message: string }; message?: string };
  if (path.startsWith('/v1beta')) expect(told.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
  else expect(told).toMatchObject({ __type: 'ValidationException' });
  expect(told.error?.message ?? told.message).toMatch(message);
});

it('the key may stand in the address, and is told to nobody', async () => {
  const ask = (key: string) =>
    fetch(`${rig.url}/v1beta/models/gemini:generateContent?key=${key}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ contents: [{ parts: [{ text: 'x' }] }] }),
    });
  expect((await ask(masterKey)).status).toBe(200);
  expect((await ask('sk-wrong-0123456789')).status).toBe(401);
  const last = fake.requests.at(-1)!;
  expect(`${last.path}?${last.query}${last.rawHeaders.join(' ')}`).not.toContain(masterKey);
  expect(JSON.stringify(rig.records)).not.toContain(masterKey);
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/*
 * What no format may answer with a 500: every caller's format, against providers of every format. A refusal is a 4xx in the
 * caller's own words that names the field, and the provider where it is the provider that cannot.
 */
const providers = ['chat', 'claude', 'gemini', 'nova', 'command', 'llama'] as const;
type Model = (typeof providers)[number];
type Body = Record<string, unknown>;

let fake: FakeProvider;
let rig: GatewayRig;

beforeAll(async () => {
  fake = await startFakeProvider();
  const at = (group: Model, model: string, base = fake.url) =>
    deployment(group, fake.url, model, { api_base: base, ...price });
  rig = await startGatewayRig(`model_list:
${at('chat', 'openai/gpt', `${fake.url}/v1`)}
${at('claude', 'anthropic/claude-x')}
${at('gemini', 'gemini/gemini-x')}
${at('nova', 'bedrock/amazon.nova-x')}
${at('command', 'cohere/command-x')}
${at('llama', 'ollama/llama-x')}
${deployment('vectors', fake.url, 'openai/text-embedding-x')}
${deployment('ranker', fake.url, 'jina_ai/ranker-x')}
router_settings: { num_retries: 0, disable_cooldowns: true }
`);
});
beforeEach(() => fake.setDefault({}));
afterAll(async () => {
  await rig.close();
  await fake.close();
});

interface Format {
  readonly name: string;
  path(model: Model): string;
  /** A conversation of one text. */
  say(model: Model, text: string): Body;
  /** The same with a block of content that nobody knows; absent where there are only texts. */
  odd?(model: Model): Body;
  /** With a turn of a role that is none. */
  boss?(model: Model): Body;
  /** With a tool whose schema is no schema. */
  tool?(model: Model, schema: unknown): Body;
  image?(model: Model, url: string): Body;
  /** With an image of these bytes, in base64. */
  bytes?(model: Model, base64: string): Body;
  /** The message of an error in this format; undefined when it is in another one. */
  message(told: Body): string | undefined;
}

const messageIn = (value: unknown) => (value as { message?: string } | undefined)?.message;
const openaiError = (told: Body) => ('type' in ((told.error as Body) ?? {}) ? messageIn(told.error) : undefined);
const googleError = (told: Body) => ('status' in ((told.error as Body) ?? {}) ? messageIn(told.error) : undefined);
const amazonError = (told: Body) => ('__type' in told ? messageIn(told) : undefined);
const anthropicError = (told: Body) => (told.type === 'error' ? messageIn(told.error) : undefined);
const cohereError = (told: Body) => messageIn(told);
const ollamaError = (told: Body) => (typeof told.error === 'string' ? told.error : undefined);

const turn = (content: unknown, role = 'user') => ({ messages: [{ role, content }] });
const parts = (list: unknown, role = 'user') => ({ contents: [{ role, parts: list }] });
const named = (parameters: unknown) => ({ name: 'look', parameters });
const functionTool = (parameters: unknown) => ({ tools: [{ type: 'function', function: named(parameters) }] });
const odd = [{ type: 'hologram', hologram: { data: 'x' } }];
const price = { input_cost_per_token: 0.00001, output_cost_per_token: 0.00002 };
const dataUrl = (base64: string) => `data:image/png;base64,${base64}`;

const formats: readonly Format[] = [
  {
    name: 'chat',
    path: () => '/v1/chat/completions',
    say: (model, text) => ({ model, ...turn(text) }),
    odd: (model) => ({ model, ...turn(odd) }),
    boss: (model) => ({ model, ...turn('x', 'boss') }),
    tool: (model, schema) => ({ model, ...turn('x'), ...functionTool(schema) }),
    image: (model, url) => ({ model, ...turn([{ type: 'image_url', image_url: { url } }]) }),
    bytes: (model, base64) => ({ model, ...turn([{ type: 'image_url', image_url: { url: dataUrl(base64) } }]) }),
    message: openaiError,
  },
  {
    name: 'completions',
    path: () => '/v1/completions',
    say: (model, prompt) => ({ model, prompt }),
    message: openaiError,
  },
  {
    name: 'responses',
    path: () => '/v1/responses',
    say: (model, input) => ({ model, input }),
    odd: (model) => ({ model, input: [{ role: 'user', content: odd }] }),
    boss: (model) => ({ model, input: [{ role: 'boss', content: 'x' }] }),
    tool: (model, schema) => ({ model, input: 'x', tools: [{ type: 'function', ...named(schema) }] }),
    image: (model, url) => ({ model, input: [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }] }),
    bytes: (model, base64) => ({
      model,
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: dataUrl(base64) }] }],
    }),
    message: openaiError,
  },
  {
    name: 'messages',
    path: () => '/v1/messages',
    say: (model, text) => ({ model, max_tokens: 50, ...turn(text) }),
    odd: (model) => ({ model, max_tokens: 50, ...turn(odd) }),
    boss: (model) => ({ model, max_tokens: 50, ...turn('x', 'boss') }),
    tool: (model, schema) => ({ model, max_tokens: 50, ...turn('x'), tools: [{ name: 'look', input_schema: schema }] }),
    image: (model, url) => ({ model, max_tokens: 50, ...turn([{ type: 'image', source: { type: 'url', url } }]) }),
    bytes: (model, data) => ({
      model,
      max_tokens: 50,
      ...turn([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data } }]),
    }),
    message: anthropicError,
  },
  {
    name: 'Gemini',
    path: (model) => `/v1beta/models/${model}:generateContent`,
    say: (_, text) => parts([{ text }]),
    odd: () => parts([{ hologram: { data: 'x' } }]),
    boss: () => parts([{ text: 'x' }], 'boss'),
    tool: (_, schema) => ({ ...parts([{ text: 'x' }]), tools: [{ functionDeclarations: [named(schema)] }] }),
    image: (_, url) => parts([{ fileData: { fileUri: url, mimeType: 'image/png' } }]),
    bytes: (_, data) => parts([{ inlineData: { mimeType: 'image/png', data } }]),
    message: googleError,
  },
  {
    name: 'Converse',
    path: (model) => `/model/${model}/converse`,
    say: (_, text) => turn([{ text }]),
    odd: () => turn([{ hologram: { data: 'x' } }]),
    boss: () => turn([{ text: 'x' }], 'boss'),
    bytes: (_, bytes) => turn([{ image: { format: 'png', source: { bytes } } }]),
    tool: (_, schema) => ({
      ...turn([{ text: 'x' }]),
      toolConfig: { tools: [{ toolSpec: { name: 'look', inputSchema: { json: schema } } }] },
    }),
    message: amazonError,
  },
  {
    name: 'InvokeModel, Claude',
    path: (model) => `/model/${model}/invoke`,
    say: (_, text) => ({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 50, ...turn(text) }),
    odd: () => ({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 50, ...turn(odd) }),
    boss: () => ({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 50, ...turn('x', 'boss') }),
    message: amazonError,
  },
  {
    name: 'InvokeModel, Nova',
    path: (model) => `/model/${model}/invoke`,
    say: (_, text) => ({ schemaVersion: 'messages-v1', ...turn([{ text }]) }),
    odd: () => ({ schemaVersion: 'messages-v1', ...turn([{ hologram: { data: 'x' } }]) }),
    boss: () => ({ schemaVersion: 'messages-v1', ...turn([{ text: 'x' }], 'boss') }),
    message: amazonError,
  },
  {
    name: 'InvokeModel, Titan',
    path: (model) => `/model/${model}/invoke`,
    say: (_, inputText) => ({ inputText }),
    message: amazonError,
  },
  {
    name: 'InvokeModel, Llama',
    path: (model) => `/model/${model}/invoke`,
    say: (_, prompt) => ({ prompt, max_gen_len: 50 }),
    message: amazonError,
  },
  {
    name: 'Cohere',
    path: () => '/v2/chat',
    say: (model, text) => ({ model, ...turn(text) }),
    odd: (model) => ({ model, ...turn(odd) }),
    boss: (model) => ({ model, ...turn('x', 'boss') }),
    tool: (model, schema) => ({ model, ...turn('x'), ...functionTool(schema) }),
    image: (model, url) => ({ model, ...turn([{ type: 'image_url', image_url: { url } }]) }),
    bytes: (model, base64) => ({ model, ...turn([{ type: 'image_url', image_url: { url: dataUrl(base64) } }]) }),
    message: cohereError,
  },
  {
    name: 'Ollama chat',
    path: () => '/api/chat',
    say: (model, text) => ({ model, stream: false, ...turn(text) }),
    boss: (model) => ({ model, stream: false, ...turn('x', 'boss') }),
    bytes: (model, base64) => ({ model, stream: false, messages: [{ role: 'user', content: 'x', images: [base64] }] }),
    tool: (model, schema) => ({ model, stream: false, ...turn('x'), ...functionTool(schema) }),
    message: ollamaError,
  },
  {
    name: 'Ollama generate',
    path: () => '/api/generate',
    say: (model, prompt) => ({ model, stream: false, prompt }),
    message: ollamaError,
  },
];

async function asked(format: Format, model: Model, body: Body | string) {
  const answer = await rig.post(format.path(model), body);
  const text = await answer.text();
  let told: Body = {};
  try {
    told = JSON.parse(text) as Body;
  } catch {
    throw new Error(`not JSON: ${text.slice(0, 200)}`);
  }
  return { status: answer.status, told, message: format.message(told), text };
}

async function refusedFor(format: Format, model: Model, body: Body | string, field: RegExp): Promise<void> {
  const sent = fake.requests.length;
  const { status, message, text } = await asked(format, model, body);
  expect(status, text.slice(0, 400)).toBe(400);
  expect(message, text.slice(0, 400)).toMatch(field);
  expect(fake.requests.length, 'nothing was sent').toBe(sent);
}

/** A member more, before all others, as bytes: what an object literal cannot say. */
const withMember = (body: Body, member: string) => JSON.stringify(body).replace('{', `{${member},`);

describe.each(formats)('$name', (format) => {
  it.each(['chat', 'nova'] as const)('a million CJK characters to %s', async (model) => {
    const { status, text } = await asked(format, model, format.say(model, '語'.repeat(1_000_000)));
    expect(status, text.slice(0, 400)).toBe(200);
    expect(fake.requests.at(-1)!.body.length).toBeGreaterThan(3_000_000);
  });

  it('a depth of 10,000', async () => {
    const body = withMember(format.say('claude', 'x'), `"zz":${'['.repeat(10_000)}${']'.repeat(10_000)}`);
    await refusedFor(format, 'claude', body, /nested deeper than 512 levels/);
    await refusedFor(format, 'claude', '{"a":'.repeat(50_000), /not valid JSON/);
  });

  it.each(providers)('__proto__ and a member twice to %s', async (model) => {
    const body = format.say(model, 'Hello');
    const evil = withMember(
      body,
      '"__proto__":{"temperature":77,"polluted":1},"constructor":{"prototype":{"polluted":1}}',
    );
    const { status, text } = await asked(format, model, evil);
    // A provider of the same format may get what it does not know, and judge; nobody's prototype is touched.
    expect([200, 400], text.slice(0, 400)).toContain(status);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    if (status === 200) expect(fake.requests.at(-1)!.json).not.toHaveProperty('temperature', 77);
    const [name, value] = Object.entries(body).at(-1)!;
    const twice = withMember(body, `${JSON.stringify(name)}:${JSON.stringify(value)}`);
    expect((await asked(format, model, twice)).status).toBe(200);
  });
});

/** Every format that can say this, to every provider. */
function said<Key extends 'odd' | 'boss' | 'tool' | 'image' | 'bytes'>(key: Key) {
  return formats.flatMap((format) => {
    const say = format[key];
    return say === undefined ? [] : providers.map((model) => ({ name: format.name, model, format, say }));
  });
}

describe('content of an unknown kind', () => {
  it.each(said('odd'))('$name to $model', async ({ format, model, say }) => {
    const { status, message, text } = await asked(format, model, say(model));
    // What stays in its format is for the provider to judge.
    if (status === 200) return;
    expect(status, text.slice(0, 400)).toBe(400);
    expect(message, text.slice(0, 400)).toMatch(/the model at \w+ does not support content of type|hologram/);
  });
});

describe('a role that is none', () => {
  it.each(said('boss'))('$name to $model', async ({ format, model, say }) => {
    await refusedFor(format, model, say(model), /role: expected .*(got "boss"|one of)/);
  });
});

describe('a tool', () => {
  it.each(said('tool'))('whose schema is none, $name to $model', async ({ format, model, say }) => {
    await refusedFor(format, model, say(model, 'a text'), /(parameters|schema|json)[^ ]*: expected an object/i);
  });

  it.each(said('tool'))('whose schema the provider refuses, $name to $model', async ({ format, model, say }) => {
    fake.setDefault({ status: 400, error: { message: 'Invalid schema for function look' } });
    const { status, message, text } = await asked(format, model, say(model, { type: 'object' }));
    expect(status, text.slice(0, 400)).toBe(400);
    expect(message, text.slice(0, 400)).toMatch(/\w+Exception - .*Invalid schema for function look/);
  });
});

describe.each([
  'http://127.0.0.1:1/a.png',
  'http://169.254.169.254/latest/meta-data',
  'http://no-such-host.invalid/a.png',
  'gopher://example.org/a.png',
])('an image at %s, for a provider that takes bytes', (url) => {
  it.each(said('image').filter(({ model }) => model === 'nova' || model === 'llama'))(
    '$name to $model',
    async ({ format, model, say }) => {
      await refusedFor(format, model, say(model, url), /image|address|url/i);
    },
  );
});

/** Data that are none: found here, for no two providers say it alike. What stays in its format is for the provider to judge. */
describe.each([
  ['@@@@', /image 1 of the request is not base64/],
  ['', /image 1 of the request is empty|expected/],
])('an image of the bytes %j', (bytes, words) => {
  const own: Partial<Record<string, Model>> = {
    ...{ chat: 'chat', responses: 'chat', messages: 'claude', Cohere: 'command' },
    ...{ Gemini: 'gemini', Converse: 'nova', 'Ollama chat': 'llama' },
  };
  it.each(said('bytes').filter(({ name, model }) => own[name] !== model))('$name to $model', async (one) => {
    await refusedFor(one.format, one.model, one.say(one.model, bytes), words);
  });
});

describe('what a conversation is called', () => {
  it.each([
    [
      'responses',
      { input: [] },
      /^litellm.*the model at Anthropic does not support conversations in which nobody/,
      'input',
    ],
    [
      'Gemini',
      { contents: [{ parts: [{ text: '' }] }] },
      /Anthropic does not support conversations in which/,
      'contents',
    ],
    [
      'responses',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x.png' }] }] },
      /^input: image 1/,
    ],
  ] as const)('%s', async (name, body, words, param?: string) => {
    const format = formats.find((one) => one.name === name)!;
    const { status, told, message } = await asked(format, 'claude', { model: 'claude', ...body });
    expect([status, message]).toEqual([400, expect.stringMatching(words)]);
    if (name === 'responses' && param !== undefined) expect(told.error).toMatchObject({ param });
  });
});

/** What is asked beside conversations: a path, a request that is fine, and the field that its input stands in. */
describe.each<[path: string, body: Body, input: string]>([
  ['/v1/embeddings', { model: 'vectors', input: 'x' }, 'input'],
  ['/v2/embed', { model: 'vectors', texts: ['x'], input_type: 'search_query', embedding_types: ['float'] }, 'texts'],
  ['/v1beta/models/vectors:embedContent', { content: { parts: [{ text: 'x' }] } }, 'content'],
  ['/api/embed', { model: 'vectors', input: 'x' }, 'input'],
  ['/v1/rerank', { model: 'ranker', query: 'x', documents: ['y'] }, 'documents'],
  ['/v1/moderations', { model: 'chat', input: 'x' }, 'input'],
  ['/v1/images/generations', { model: 'chat', prompt: 'x' }, 'prompt'],
  ['/v1/audio/speech', { model: 'chat', input: 'x', voice: 'alloy' }, 'input'],
])('%s', (path, body, input) => {
  const post = async (sent: Body | string) => {
    const answer = await rig.post(path, sent);
    return { status: answer.status, text: Buffer.from(await answer.arrayBuffer()).toString('latin1') };
  };

  it('is refused where it is nested too deep, or its input is none', async () => {
    const deep = withMember(body, `"zz":${'['.repeat(10_000)}${']'.repeat(10_000)}`);
    expect(await post(deep)).toMatchObject({ status: 400, text: expect.stringContaining('nested deeper than 512') });
    for (const wrong of [7, true, null, [[{}]]]) {
      const { status, text } = await post({ ...body, [input]: wrong });
      expect(status, text.slice(0, 300)).toBe(400);
      expect(text).toContain(input);
    }
  });

  it('takes a million characters, and what JSON allows', async () => {
    const text = JSON.stringify(body).replace(/"[xy]"/, JSON.stringify('語'.repeat(1_000_000)));
    for (const odd of [text, withMember(body, '"__proto__":{"polluted":1}')]) {
      const { status, text: told } = await post(odd);
      // The fake provider has no images and no sound.
      expect([200, 400, 404], told.slice(0, 300)).toContain(status);
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

it('nothing that was refused has cost anything, and nothing was at fault here', async () => {
  await expect.poll(() => rig.records.filter(({ status }) => status === 'failure').length).toBeGreaterThan(200);
  const refused = rig.records.filter(({ status }) => status === 'failure');
  expect(refused.filter(({ cost }) => cost !== 0)).toEqual([]);
  expect(rig.records.some(({ cost }) => (cost ?? 0) > 0)).toBe(true);
  expect(rig.logged.filter((line) => line.includes('inside the gateway'))).toEqual([]);
});

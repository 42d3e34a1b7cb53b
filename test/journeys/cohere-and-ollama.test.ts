import { CohereClientV2 } from 'cohere-ai';
import { Ollama } from 'ollama';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* The official clients of Cohere and Ollama in front of models that speak these formats, and of models that do not. */
let fake: FakeProvider;
let gateway: GatewayProcess;
let cohere: CohereClientV2;
let ollama: Ollama;

beforeAll(async () => {
  fake = await startFakeProvider({ strict: true });
  gateway = await startGateway({
    config: `model_list:
${deployment('command', fake.url, 'cohere/command-a', { api_base: fake.url })}
${deployment('llama', fake.url, 'ollama/llama3.2', { api_base: fake.url, num_ctx: 8192, keep_alive: '1h' })}
${deployment('claude', fake.url, 'anthropic/some-claude', { api_base: fake.url })}
${deployment('chat', fake.url, 'openai/some-model')}
router_settings: {num_retries: 0}
`,
  });
  cohere = new CohereClientV2({ environment: gateway.url, token: masterKey, maxRetries: 0 });
  ollama = new Ollama({ host: gateway.url, headers: { authorization: `Bearer ${masterKey}` } });
});
beforeEach(() => fake.setDefault({}));
afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

const sent = () => fake.requests.at(-1)?.json as Record<string, unknown>;
const calls = [
  { name: 'get_weather', arguments: { city: 'Zürich' } },
  { name: 'get_weather', arguments: { city: '東京' } },
];
const weather = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};
const models = [['command'], ['llama'], ['claude'], ['chat']];

describe.each(models)('Cohere’s client in front of %s', (model) => {
  const question = { role: 'user' as const, content: 'Hello' };

  it('gets a stream with thinking before the text', async () => {
    fake.setDefault({ text: 'One two – drei 六', reasoning: 'Let me count.' });
    const stream = await cohere.chatStream({ model, messages: [question] });
    let text = '';
    let last: unknown;
    for await (const event of stream) {
      if (event.type === 'content-delta') text += event.delta?.message?.content?.text ?? '';
      last = event;
    }
    expect(text).toBe('One two – drei 六');
    expect(last).toMatchObject({ type: 'message-end', delta: { finishReason: 'COMPLETE' } });
  });

  it('answers two tool calls at once with documents', async () => {
    fake.setDefault({ text: '', toolCalls: calls });
    const answer = await cohere.chat({ model, messages: [question], tools: [weather] });
    const got = answer.message.toolCalls ?? [];
    expect(got.map((call) => JSON.parse(call.function?.arguments ?? ''))).toEqual(calls.map((call) => call.arguments));
    expect(answer.finishReason).toBe('TOOL_CALL');
    fake.setDefault({ text: 'Sunny in both.' });
    const last = await cohere.chat({
      model,
      tools: [weather],
      messages: [
        question,
        { role: 'assistant', toolCalls: got, toolPlan: 'I will look.' },
        ...got.map((call) => ({
          role: 'tool' as const,
          toolCallId: call.id,
          content: [{ type: 'document' as const, document: { data: { weather: 'sunny' } } }],
        })),
      ],
    });
    expect(last.message.content).toMatchObject([{ type: 'text', text: 'Sunny in both.' }]);
  });
});

describe.each(models)('Ollama’s client in front of %s', (model) => {
  const messages = [{ role: 'user', content: 'Hello' }];

  it('gets an answer to a prompt', async () => {
    fake.setDefault({ text: 'Grüezi, 世界 👋' });
    const options = { temperature: 0.1, num_predict: 300 };
    const generated = await ollama.generate({ model, prompt: 'Hello', system: 'Be brief.', options });
    expect(generated).toMatchObject({ response: 'Grüezi, 世界 👋', done: true, done_reason: 'stop', model });
    expect(generated.eval_count).toBeGreaterThan(0);
  });

  it('gets a stream, thinking apart', async () => {
    fake.setDefault({ text: 'One two – drei 六', reasoning: 'Let me count.' });
    let text = '';
    let thinking = '';
    let isDone = false;
    for await (const piece of await ollama.chat({ model, messages, stream: true, options: { num_predict: 2_000 } })) {
      text += piece.message.content;
      thinking += piece.message.thinking ?? '';
      isDone = piece.done;
    }
    expect(text).toBe('One two – drei 六');
    expect(thinking).toBe('Let me count.');
    expect(isDone).toBe(true);
  });
});

it('lists and describes models as Ollama does', async () => {
  const { models: listed } = await ollama.list();
  expect(listed.map(({ name }) => name).sort()).toEqual(['chat', 'claude', 'command', 'llama']);
  expect((await ollama.show({ model: 'claude' })).capabilities).toContain('tools');
  await expect(ollama.show({ model: 'nobody' })).rejects.toThrow(/not found/);
  expect((await ollama.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
  const made = (await (await gateway.post('/key/generate', { models: ['chat'] })).json()) as { key: string };
  const limited = new Ollama({ host: gateway.url, headers: { authorization: `Bearer ${made.key}` } });
  expect((await limited.list()).models.map(({ name }) => name)).toEqual(['chat']);
  await expect(new Ollama({ host: gateway.url }).list()).rejects.toThrow(/api key/);
});

it('brings a deployment’s own settings to where Ollama reads them', async () => {
  await gateway.post('/v1/chat/completions', {
    model: 'llama',
    messages: [{ role: 'user', content: 'Hello' }],
    max_tokens: 30,
    temperature: 0.5,
  });
  expect(sent()).toMatchObject({
    model: 'llama3.2',
    stream: false,
    keep_alive: '1h',
    options: { num_ctx: 8192, num_predict: 30, temperature: 0.5 },
  });
});

it('sends what only these formats have to who speaks them, and refuses it by name for others', async () => {
  const documents = [{ id: 'd1', data: { text: 'Oslo is in Norway.' } }];
  const asked = {
    model: 'command',
    messages: [{ role: 'user', content: 'Where?' }],
    documents,
    safety_mode: 'NONE',
    priority: 3,
  };
  await gateway.post('/v2/chat', asked);
  expect(sent()).toEqual({ ...asked, model: 'command-a' });
  const refused = await gateway.post('/v2/chat', { ...asked, model: 'claude' });
  expect(refused.status).toBe(400);
  expect(((await refused.json()) as { message: string }).message).toContain("'documents'");
  const chosen = await gateway.post('/v1/chat/completions', {
    model: 'llama',
    messages: [{ role: 'user', content: 'Hello' }],
    tools: [weather],
    tool_choice: 'required',
  });
  expect(chosen.status).toBe(400);
  expect(await chosen.text()).toContain("'tool_choice'");
});

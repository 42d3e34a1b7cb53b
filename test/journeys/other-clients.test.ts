import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { Mistral } from '@mistralai/mistralai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import Groq from 'groq-sdk';
import OpenAI5 from 'openai-5';
import OpenAI7 from 'openai-7';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FakeProvider, type Script, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * Clients that developers already have, each as its own documentation says but for the address, in front of a model that
 * speaks OpenAI's format and one that speaks Anthropic's.
 */
let upstreams: Record<string, FakeProvider>;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstreams = { 'speaks-openai': await startFakeProvider(), 'speaks-anthropic': await startFakeProvider() };
  gateway = await startGateway({
    config: `
model_list:
  - model_name: speaks-openai
    litellm_params: { model: openai/some-model, api_base: "${upstreams['speaks-openai']!.url}/v1", api_key: upstream-key-1 }
  - model_name: speaks-anthropic
    litellm_params: { model: anthropic/claude-test, api_base: "${upstreams['speaks-anthropic']!.url}", api_key: upstream-key-2 }
`,
  });
});
beforeEach(() => set({}));
afterAll(async () => {
  await gateway?.stop();
  for (const upstream of Object.values(upstreams ?? {})) await upstream.close();
});

function set(script: Script): void {
  for (const upstream of Object.values(upstreams)) upstream.setDefault(script);
}

const text = 'Grüezi, 世界 👋';
const parameters = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] };
const calls: Script = { text: '', toolCalls: [{ name: 'weather', arguments: { city: 'Bern' } }] };
const messages = [{ role: 'user' as const, content: 'Hello' }];

describe.each(['speaks-openai', 'speaks-anthropic'])('in front of a model that %s', (model) => {
  test.each([
    ['openai 7', () => new OpenAI7({ baseURL: `${gateway.url}/v1`, apiKey: masterKey, maxRetries: 0 })],
    ['openai 5', () => new OpenAI5({ baseURL: `${gateway.url}/v1`, apiKey: masterKey, maxRetries: 0 })],
  ])('%s', async (_, make) => {
    const client = make() as OpenAI7;
    set({ text });
    const whole = await client.chat.completions.create({ model, messages });
    expect(whole.choices[0]?.message.content).toBe(text);
    let streamed = '';
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
      streamed += chunk.choices[0]?.delta.content ?? '';
    }
    expect(streamed).toBe(text);
    set(calls);
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters } }];
    const called = await client.chat.completions.create({ model, messages, tools });
    const [call] = called.choices[0]?.message.tool_calls ?? [];
    expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual({ city: 'Bern' });
    const refused = await client.chat.completions.create({ model: 'nowhere', messages }).catch((error) => error);
    expect(refused.status).toBe(400);
    expect(refused.message).toContain('nowhere');
  });

  test('the Responses API of openai 7', async () => {
    const client = new OpenAI7({ baseURL: `${gateway.url}/v1`, apiKey: masterKey, maxRetries: 0 });
    set({ text });
    const whole = await client.responses.create({ model, input: 'Hello' });
    expect(whole.output_text).toBe(text);
    let streamed = '';
    for await (const event of await client.responses.create({ model, input: 'Hello', stream: true })) {
      if (event.type === 'response.output_text.delta') streamed += event.delta;
    }
    expect(streamed).toBe(text);
  });

  test('groq-sdk', async () => {
    const client = new Groq({ baseURL: gateway.url, apiKey: masterKey, maxRetries: 0 });
    set({ text });
    // It asks at /openai/v1, as its own service has it.
    const whole = await client.chat.completions.create({ model, messages });
    expect(whole.choices[0]?.message.content).toBe(text);
    let streamed = '';
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
      streamed += chunk.choices[0]?.delta.content ?? '';
    }
    expect(streamed).toBe(text);
  });

  test('@mistralai/mistralai', async () => {
    const client = new Mistral({ serverURL: gateway.url, apiKey: masterKey });
    set({ text });
    const whole = await client.chat.complete({ model, messages });
    expect(whole.choices?.[0]?.message?.content).toBe(text);
    let streamed = '';
    for await (const { data } of await client.chat.stream({ model, messages })) {
      const { content } = data.choices[0]!.delta;
      if (typeof content === 'string') streamed += content;
    }
    expect(streamed).toBe(text);
  });

  test.each(['chat', 'responses', 'anthropic'] as const)('ai, through its %s provider', async (way) => {
    const openai = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: masterKey });
    const anthropic = createAnthropic({ baseURL: `${gateway.url}/v1`, apiKey: masterKey });
    const chosen = { chat: openai.chat, responses: openai.responses, anthropic }[way](model);
    set({ text });
    const whole = await generateText({ model: chosen, prompt: 'Hello', maxRetries: 0 });
    expect(whole.text).toBe(text);
    expect(whole.usage.outputTokens).toBeGreaterThan(0);
    const stream = streamText({ model: chosen, prompt: 'Hello', maxRetries: 0 });
    let streamed = '';
    for await (const piece of stream.textStream) streamed += piece;
    expect(streamed).toBe(text);
    set(calls);
    const weather = tool({ description: 'Weather', inputSchema: jsonSchema<{ city: string }>(parameters) });
    const called = await generateText({ model: chosen, prompt: 'Weather?', tools: { weather }, maxRetries: 0 });
    expect(called.toolCalls[0]?.input).toEqual({ city: 'Bern' });
  });

  test('langchain', async () => {
    const chat = new ChatOpenAI({
      model,
      apiKey: masterKey,
      maxRetries: 0,
      configuration: { baseURL: `${gateway.url}/v1` },
    });
    set({ text });
    expect((await chat.invoke([new HumanMessage('Hello')])).text).toBe(text);
    let streamed = '';
    for await (const chunk of await chat.stream('Hello')) streamed += chunk.text;
    expect(streamed).toBe(text);
    set(calls);
    const tools = [{ type: 'function' as const, function: { name: 'weather', description: 'Weather', parameters } }];
    const called = await chat.bindTools(tools).invoke('Weather?');
    expect(called.tool_calls?.[0]?.args).toEqual({ city: 'Bern' });
  });
});

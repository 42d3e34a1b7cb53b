import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * Our own fake provider says what we believe of the formats. A second one, written by others, says whether they believe the
 * same.
 */
let mock: LLMock;
let gateway: GatewayProcess;
let client: OpenAI;

beforeAll(async () => {
  mock = new LLMock({ port: 0 });
  mock.onMessage('hello', { content: 'Hi there! 日本 👋' });
  mock.onMessage('weather', { toolCalls: [{ name: 'weather', arguments: '{"city":"Bern"}' }] });
  await mock.start();
  const aws = 'aws_region_name: us-east-1, aws_access_key_id: AKIDEXAMPLE, aws_secret_access_key: secret';
  gateway = await startGateway({
    config: `
model_list:
  - { model_name: openai, litellm_params: { model: openai/gpt-4o, api_base: "${mock.url}/v1", api_key: k } }
  - { model_name: anthropic, litellm_params: { model: anthropic/claude-sonnet-4-5, api_base: "${mock.url}", api_key: k } }
  - { model_name: gemini, litellm_params: { model: gemini/gemini-2.5-flash, api_base: "${mock.url}/v1beta", api_key: k } }
  - { model_name: bedrock, litellm_params: { model: bedrock/us.amazon.nova-pro-v1:0, api_base: "${mock.url}", ${aws} } }
  - { model_name: cohere, litellm_params: { model: cohere/command-a, api_base: "${mock.url}", api_key: k } }
  - { model_name: ollama, litellm_params: { model: ollama/llama3.2, api_base: "${mock.url}" } }
`,
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: masterKey, maxRetries: 0 });
});
afterAll(async () => {
  await gateway?.stop();
  await mock?.stop();
});

const tools = [
  {
    type: 'function' as const,
    function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
];

describe.each(['openai', 'anthropic', 'gemini', 'bedrock', 'cohere', 'ollama'])('a mock of %s by others', (model) => {
  test('answers whole and as a stream, with usage', async () => {
    const messages = [{ role: 'user' as const, content: 'hello' }];
    const whole = await client.chat.completions.create({ model, messages });
    expect(whole.choices[0]?.message.content).toBe('Hi there! 日本 👋');
    expect(whole.choices[0]?.finish_reason).toBe('stop');
    let text = '';
    let finish: string | null = null;
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    expect(text).toBe('Hi there! 日本 👋');
    expect(finish).toBe('stop');
  });

  test('calls tools, whole and as a stream', async () => {
    const messages = [{ role: 'user' as const, content: 'weather' }];
    const whole = await client.chat.completions.create({ model, messages, tools });
    const [call] = whole.choices[0]?.message.tool_calls ?? [];
    expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual({ city: 'Bern' });
    const streamed = await client.chat.completions.stream({ model, messages, tools }).finalChatCompletion();
    const [second] = streamed.choices[0]?.message.tool_calls ?? [];
    expect(second?.type === 'function' && JSON.parse(second.function.arguments)).toEqual({ city: 'Bern' });
    expect(streamed.choices[0]?.finish_reason).toBe('tool_calls');
  });
});

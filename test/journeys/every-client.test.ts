import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import type { Client, Heard } from './clients/client.ts';
import { clients } from './clients/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Every client that developers already have, in front of every format that providers speak: none of them may notice. */

const upstreams: Readonly<Record<string, readonly [model: string, params?: object, info?: object]>> = {
  'openai-chat': ['hosted_vllm/some-model'],
  'openai-chat and openai-responses': ['openai/some-model'],
  'mistral-chat': ['mistral/some-mistral'],
  'openai-responses': ['openai/some-pro', {}, { mode: 'responses' }],
  'anthropic-messages': ['anthropic/some-claude', { api_base: '' }],
  'gemini-generate': ['gemini/gemini-2.5-flash'],
  'cohere-chat': ['cohere/command-a', { api_base: '' }],
  'ollama-chat': ['ollama/llama3.2', { api_base: '' }],
  'bedrock-converse': ['bedrock/us.amazon.nova-pro-v1:0', { api_base: '' }],
  'bedrock-invoke': ['bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0', { api_base: '' }],
};
const names = Object.keys(upstreams);
const groupOf = (name: string) => `m${names.indexOf(name)}`;

let fake: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  fake = await startFakeProvider({ strict: true });
  const list = names.map((name) => {
    const [model, params, info] = upstreams[name]!;
    const base = params !== undefined && 'api_base' in params ? { api_base: fake.url } : {};
    const more = info === undefined ? '' : `\n    model_info: ${JSON.stringify(info)}`;
    return deployment(groupOf(name), fake.url, model, base) + more;
  });
  gateway = await startGateway({
    config: `model_list:
${list.join('\n')}
router_settings: {num_retries: 0, disable_cooldowns: true}
# Groq's client cannot ask for usage: its service always tells it.
general_settings: {always_include_stream_usage: true}
`,
  });
});
afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

const text = 'Grüezi, 世界 👋 – one two three';
const cities = [{ city: 'Zürich', unit: '°C' }, { city: '東京' }];
const toolCalls = cities.map((city) => ({ name: 'get_weather', arguments: city }));
const results = ['sunny at 21°', 'rain all day'];

/** What the client was told is what the provider bills. */
function expectBilled(client: Client, { inputTokens, outputTokens }: Heard, isStream: boolean): void {
  if (isStream && client.readsUsageInStreams === false) return;
  const { usage } = fake.invoice.at(-1)!;
  expect({ inputTokens, outputTokens }).toEqual({ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens });
}

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => expect.fail(`no error, but ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

describe.each(clients.map((client): [string, Client] => [client.name, client]))('%s', (_name, client) => {
  describe.each(names)('in front of %s', (upstream) => {
    const begin = (hasTools = false) => client.open(gateway.url, masterKey)(groupOf(upstream), hasTools);

    test.each([
      ['whole', false],
      ['as a stream', true],
    ])('is answered and has two tools called at once, %s', async (_how, isStream) => {
      fake.setDefault({ text });
      const said = await begin().ask(isStream);
      expect(said).toMatchObject({ text, calls: [], finish: client.finishes.said });
      expectBilled(client, said, isStream);

      fake.setDefault({ text: '', toolCalls });
      const conversation = begin(true);
      const called = await conversation.ask(isStream);
      expect(called).toMatchObject({ text: '', calls: toolCalls, finish: client.finishes.called });
      expectBilled(client, called, isStream);

      fake.setDefault({ text: 'Sun and rain.' });
      const last = await conversation.answer(results, isStream);
      expect(last).toMatchObject({ text: 'Sun and rain.', calls: [], finish: client.finishes.said });
      const sent = fake.requests.at(-1)!.body.toString();
      const places = [...cities.map(({ city }) => city), ...results].map((word) => sent.indexOf(word));
      expect(places).not.toContain(-1);
      expect(sent.indexOf(results[0]!)).toBeLessThan(sent.indexOf(results[1]!));
    });

    test('takes an error for its own, and a broken stream for broken', async () => {
      fake.setDefault({ status: 400, error: { message: 'temperature must be at most 2' } });
      for (const isStream of [false, true]) {
        const failure = client.failure(await caught(begin().ask(isStream)));
        expect(failure).toMatchObject({ status: 400, message: expect.stringContaining('must be at most 2') });
        expect(failure!.message).not.toContain('sk-upstream-secret');
      }
      fake.setDefault({ text, reset: { event: 6 }, delayBetweenEventsMs: 2 });
      const finish = await begin()
        .ask(true)
        .then(
          (heard) => heard.finish,
          () => 'failed',
        );
      expect(finish).not.toBe(client.finishes.said);
    });
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeProvider, hugeToolArguments, startFakeProvider } from '../fake-provider/index.ts';
import { clients } from './clients/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* A file written by a tool: 8 MiB of arguments, which is more than a careless buffer holds. */

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

const bytes = 8 * 1024 * 1024;

/* One client of a format: those on top of them take long to put such a call together. */
const own = [
  'openai 7',
  'openai 7, Responses',
  '@anthropic-ai/sdk',
  '@google/genai',
  '@aws-sdk/client-bedrock-runtime',
  'cohere-ai',
  'ollama',
];
/* All pairs take minutes: every client meets three formats of providers, and every one of those two clients or three. */
const pairs = own.flatMap((name, at) =>
  [0, 1, 2].map((more) => [name, names[(3 * at + more) % names.length]!] as const),
);

test.each(pairs)(
  '%s gets 8 MiB of arguments from %s, whole and as a stream',
  async (name, upstream) => {
    const client = clients.find((one) => one.name === name)!;
    fake.setDefault(hugeToolArguments(bytes));
    for (const isStream of [false, true]) {
      const { calls } = await client.open(gateway.url, masterKey)(groupOf(upstream), true).ask(isStream);
      const { path, text } = calls[0]!.arguments as { path: string; text: string };
      expect([calls.length, path, text.length, text === 'x'.repeat(bytes)]).toEqual([1, 'a.txt', bytes, true]);
    }
  },
  60_000,
);

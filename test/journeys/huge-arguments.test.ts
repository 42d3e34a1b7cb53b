import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeProvider, hugeToolArguments } from '../fake-provider/index.ts';
import { clients } from './clients/index.ts';
import { groupOf, names, startEveryUpstream } from './support/every-upstream.ts';
import { type GatewayProcess, masterKey } from './support/gateway-process.ts';

/* A file written by a tool: 8 MiB of arguments, which is more than a careless buffer holds. */

let fake: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  ({ fake, gateway } = await startEveryUpstream());
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

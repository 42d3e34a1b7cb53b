import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* `disable_responses_id_security`: whoever knows the id of an answer may go on from it; and rows without prompts. */

let fake: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  fake = await startFakeProvider();
  gateway = await startGateway({
    config: `model_list:
${deployment('native', fake.url, 'openai/some-model')}
${deployment('chat-only', fake.url, 'hosted_vllm/some-model')}
general_settings: { disable_responses_id_security: true, disable_spend_logs: true, store_prompts_in_spend_logs: true }
`,
  });
});
afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

async function client(): Promise<OpenAI> {
  const made = (await (await gateway.post('/key/generate', {})).json()) as { key: string };
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: made.key, maxRetries: 0 });
}

it.each(['native', 'chat-only'])('an answer of %s is gone on from, read and deleted by another key', async (model) => {
  const [ann, bob] = await Promise.all([client(), client()]);
  const first = await ann.responses.create({ model, input: 'Hello' });
  const second = await bob.responses.create({ model, input: 'More', previous_response_id: first.id });
  expect(second.previous_response_id).toBe(first.id);
  if (model === 'native') return;
  expect((await bob.responses.retrieve(first.id)).output_text).toBe(first.output_text);
  await bob.responses.delete(first.id);
  await expect(ann.responses.retrieve(first.id)).rejects.toThrow(OpenAI.NotFoundError);
});

it('a conversation is everybody’s, too; files stay their owner’s', async () => {
  const [ann, bob] = await Promise.all([client(), client()]);
  const conversation = await ann.conversations.create({ items: [{ type: 'message', role: 'user', content: 'Hi' }] });
  expect((await bob.conversations.items.list(conversation.id)).data).toHaveLength(1);
  const file = await ann.files.create({ file: new File(['{}'], 'in.jsonl'), purpose: 'batch' });
  await expect(bob.files.retrieve(file.id)).rejects.toThrow(OpenAI.NotFoundError);
});

it('rows that are not to be kept hold no prompts meanwhile', async () => {
  const rows = (await (await gateway.get('/spend/logs')).json()) as { messages: unknown; response: unknown }[];
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows.map(({ messages, response }) => [messages, response]))).not.toMatch(/Hello|More/);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeProvider, resetAt, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/** A stream that breaks after its first content goes on with another provider's words, where the operator allows it. */
let fake: FakeProvider;
let rig: GatewayRig;
let off: GatewayRig;

const words = 'One two three four five six seven eight nine ten.';

beforeAll(async () => {
  fake = await startFakeProvider();
  const models = `model_list:
${deployment('llama', fake.url, 'openai/first', { input_cost_per_token: '0.001', output_cost_per_token: '0.002' })}
${deployment('llama-b', fake.url, 'hosted_vllm/second', { input_cost_per_token: '0.003', output_cost_per_token: '0.004' })}
${deployment('alone', fake.url, 'openai/alone')}
router_settings:
  num_retries: 0
  fallbacks: [{llama: [llama-b]}]
`;
  rig = await startGatewayRig(`${models}  stream_continuation: prefill\n`);
  off = await startGatewayRig(models);
});
afterAll(async () => {
  await rig.close();
  await off.close();
  await fake.close();
});

const question = [{ role: 'user', content: 'Count.' }];

/** Breaks in the middle of its text. */
function breaks(text = words) {
  return { text, ...resetAt({ event: 6 }), delayBetweenEventsMs: 3 };
}

function textOf(stream: string): string {
  let text = '';
  for (const [, data] of stream.matchAll(/^data: (\{.*\})$/gm)) {
    const event = JSON.parse(data as string);
    text += event.choices?.[0]?.delta?.content ?? event.delta?.text ?? '';
  }
  return text;
}

describe('a stream that breaks after its first content', () => {
  test('goes on with the words of a model that can continue them, in one answer', async () => {
    fake.enqueue(breaks(), { text: ' AND THE REST.' });
    const before = rig.records.length;
    const reply = await rig.post('/v1/chat/completions', { model: 'llama', stream: true, messages: question });
    const stream = await reply.text();
    const { messages, ...members } = JSON.parse(fake.requests.at(-1)!.body.toString());
    const begun = messages.at(-1);
    expect(begun.role).toBe('assistant');
    expect(words.startsWith(begun.content)).toBe(true);
    expect(begun.content.length).toBeGreaterThan(3);
    expect(members).toMatchObject({ continue_final_message: true, add_generation_prompt: false, model: 'second' });
    expect(textOf(stream)).toBe(`${begun.content} AND THE REST.`);
    expect(stream.match(/\[DONE\]/g)).toHaveLength(1);
    expect(stream.match(/"finish_reason":"stop"/g)).toHaveLength(1);
    expect(stream).not.toContain('"error"');

    const [record] = (await rig.recorded(before + 1)).slice(before);
    expect(record!.status).toBe('success');
    expect(record!.attempts.map(({ result }) => result)).toEqual(['upstream_connection', 'success']);
    const [first, second] = record!.attempts;
    expect(first!.charged).toBeGreaterThan(0);
    expect(second!.charged).toBe(0);
    expect(record!.cost).toBeGreaterThan(first!.charged);
  });

  test('is one message to a caller of the other format', async () => {
    fake.enqueue(breaks(), { text: ' AND THE REST.' });
    const body = { model: 'llama', max_tokens: 100, stream: true, messages: question };
    const stream = await (await rig.post('/v1/messages', body)).text();
    const begun = JSON.parse(fake.requests.at(-1)!.body.toString()).messages.at(-1);
    expect(textOf(stream)).toBe(`${begun.content} AND THE REST.`);
    for (const event of ['message_start', 'content_block_start', 'content_block_stop', 'message_stop']) {
      expect(stream.split(`event: ${event}\n`), event).toHaveLength(2);
    }
  });

  test('holds a second purchase before it goes on, and ends where the budget has no room for it', async () => {
    const before = rig.ledger.extensions.length;
    fake.enqueue(breaks(), { text: ' REST' });
    await (await rig.post('/v1/chat/completions', { model: 'llama', stream: true, messages: question })).text();
    expect(rig.ledger.extensions.length).toBe(before + 1);
    rig.ledger.extends = false;
    fake.enqueue(breaks());
    const sent = fake.requests.length;
    const reply = await rig.post('/v1/chat/completions', { model: 'llama', stream: true, messages: question });
    const stream = await reply.text();
    rig.ledger.extends = true;
    expect(fake.requests.length).toBe(sent + 1);
    expect(stream).toContain('"error"');
  });

  test('is on record with both attempts when the client leaves while the second one thinks', async () => {
    fake.enqueue(breaks(), { text: ' REST', delayBeforeHeadersMs: 5_000 });
    const before = rig.records.length;
    const sent = fake.requests.length;
    const leaving = new AbortController();
    const body = { model: 'llama', stream: true, messages: question };
    const reply = await rig.post('/v1/chat/completions', body, { signal: leaving.signal });
    const read = reply.text().catch(() => 'left');
    while (fake.requests.length < sent + 2) await new Promise((resolve) => setTimeout(resolve, 2));
    leaving.abort();
    await read;
    const [record] = (await rig.recorded(before + 1)).slice(before);
    expect(record!.attempts.map(({ result }) => result)).toEqual(['upstream_connection', 'aborted']);
    expect(record!.cost, 'what was read for it, too').toBeGreaterThan(record!.attempts[0]!.charged);
    const { deployments } = rig.snapshot.groups.get('llama-b')!;
    expect(rig.gateway.health.state(deployments[0]!).inFlight).toBe(0);
  });

  test('is not continued in the middle of a tool call', async () => {
    fake.enqueue({
      toolCalls: [{ name: 'look', arguments: { place: 'a very long place name that takes some pieces to write' } }],
      charactersPerPiece: 4,
      ...resetAt({ event: 5 }),
      delayBetweenEventsMs: 3,
    });
    const before = fake.requests.length;
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
    const body = { model: 'llama', stream: true, messages: question, tools };
    const stream = await (await rig.post('/v1/chat/completions', body)).text();
    expect(stream).toContain('"error"');
    expect(stream).not.toContain('finish_reason":"stop"');
    expect(fake.requests.length).toBe(before + 1);
  });

  test('ends with an error event where nobody can go on', async () => {
    fake.enqueue(breaks());
    const reply = await rig.post('/v1/chat/completions', { model: 'alone', stream: true, messages: question });
    expect(await reply.text()).toContain('"error"');
  });

  test('goes on once more when the second one breaks, too, and then tells the failure', async () => {
    fake.enqueue(breaks(), breaks(' more words that will break again in the middle of it'));
    const reply = await rig.post('/v1/chat/completions', { model: 'llama', stream: true, messages: question });
    const stream = await reply.text();
    expect(textOf(stream)).toContain('more');
    expect(stream).toContain('"error"');
  });

  test('ends with an error event unless the operator allows more', async () => {
    fake.enqueue(breaks());
    const before = fake.requests.length;
    const reply = await off.post('/v1/chat/completions', { model: 'llama', stream: true, messages: question });
    expect(await reply.text()).toContain('"error"');
    expect(fake.requests.length).toBe(before + 1);
  });
});

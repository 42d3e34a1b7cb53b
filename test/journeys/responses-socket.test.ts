import { once } from 'node:events';
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Responses over a WebSocket, as Codex and the official client use it. */
let fake: FakeProvider;
let gateway: GatewayProcess;
let address: string;

beforeAll(async () => {
  fake = await startFakeProvider();
  gateway = await startGateway({
    config: `model_list:
${deployment('native', fake.url, 'openai/some-model')}
${deployment('claude', fake.url, 'anthropic/some-claude', { api_base: fake.url })}
${deployment('priced', fake.url, 'openai/priced', { input_cost_per_token: 0.001, output_cost_per_token: 0.001 })}
router_settings: {num_retries: 0}
`,
  });
  address = `${gateway.url.replace('http', 'ws')}/v1/responses`;
});
beforeEach(() => fake.setDefault({}));
afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

type Event = Record<string, unknown> & { type: string; response: { id: string; status: string; output: unknown[] } };

/** A connection, and the events of one request at a time. */
class Talk {
  readonly socket: WebSocket;
  readonly #events: Event[] = [];
  #onEvent: (() => void) | null = null;

  constructor(key = masterKey) {
    this.socket = new WebSocket(address, {
      headers: { authorization: `Bearer ${key}`, 'openai-beta': 'responses_websockets=2026-02-06' },
    });
    this.socket.on('message', (bytes: Buffer) => {
      this.#events.push(JSON.parse(bytes.toString()) as Event);
      this.#onEvent?.();
    });
  }

  async opened(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  /** Every event up to the last one of a request. */
  async ask(body: object | string): Promise<Event[]> {
    this.socket.send(typeof body === 'string' ? body : JSON.stringify({ type: 'response.create', ...body }));
    return await this.rest();
  }

  async rest(): Promise<Event[]> {
    const got: Event[] = [];
    for (;;) {
      const next = this.#events.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          this.#onEvent = resolve;
        });
        continue;
      }
      got.push(next);
      if (/^(error|response\.(completed|failed|incomplete))$/.test(next.type)) return got;
    }
  }
}

const sent = () => JSON.stringify(fake.requests.at(-1)?.json);

it.each(['native', 'claude'])('makes turn after turn with %s, with nothing stored', async (model) => {
  const talk = await new Talk().opened();
  fake.setDefault({ text: 'I am Fake.' });
  const first = await talk.ask({ model, input: 'Who are you?', store: false });
  expect(first.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['response.created', 'response.output_text.delta', 'response.completed']),
  );
  fake.setDefault({ text: 'As I said.' });
  const second = await talk.ask({
    model,
    store: false,
    previous_response_id: first.at(-1)!.response.id,
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Again?' }] }],
  });
  expect(JSON.stringify(second.at(-1)!.response.output)).toContain('As I said.');
  for (const said of ['Who are you?', 'I am Fake.', 'Again?']) expect(sent()).toContain(said);
  expect(sent()).not.toContain('previous_response_id');
  talk.socket.close();

  const other = await new Talk().opened();
  const [refused] = await other.ask({
    model,
    store: false,
    previous_response_id: first.at(-1)!.response.id,
    input: 'x',
  });
  expect(refused).toMatchObject({ type: 'error', status: 400, error: { message: expect.stringMatching(/not found/) } });
  other.socket.close();
});

it('is warmed up without asking a model, and remembers what it was told', async () => {
  const talk = await new Talk().opened();
  const before = fake.requests.length;
  const [created, completed] = await talk.ask({ model: 'claude', input: 'Context.', generate: false });
  expect([created?.type, completed?.type]).toEqual(['response.created', 'response.completed']);
  expect(fake.requests.length).toBe(before);
  await talk.ask({ model: 'claude', input: 'Go.', previous_response_id: completed!.response.id });
  expect(sent()).toContain('Context.');
  talk.socket.close();
});

it('takes requests one after the other, and lets go of the provider when the client leaves', async () => {
  const talk = await new Talk().opened();
  fake.setDefault({ text: 'One two three four' });
  talk.socket.send(JSON.stringify({ type: 'response.create', model: 'native', input: 'First' }));
  talk.socket.send(JSON.stringify({ type: 'response.create', model: 'native', input: 'Second' }));
  expect((await talk.rest()).at(-1)?.type).toBe('response.completed');
  expect((await talk.rest()).at(-1)?.type).toBe('response.completed');
  expect(sent()).toContain('Second');
  fake.setDefault({ endless: true });
  talk.socket.send(JSON.stringify({ type: 'response.create', model: 'native', input: 'For ever' }));
  await once(talk.socket, 'message');
  talk.socket.terminate();
  await fake.requests.at(-1)?.ended;
  expect(fake.requests.at(-1)?.abortedAtMs).toBeDefined();
});

it('a client that leaves before the first word is no fault of the gateway', async () => {
  const talk = await new Talk().opened();
  const before = fake.requests.length;
  fake.setDefault({ stall: { at: 'before-headers' } });
  talk.socket.send(JSON.stringify({ type: 'response.create', model: 'native', input: 'Hello?' }));
  await expect.poll(() => fake.requests.length, { timeout: 5_000 }).toBe(before + 1);
  talk.socket.terminate();
  await fake.requests.at(-1)?.ended;
  // Whoever comes next is served after it.
  fake.setDefault({});
  const next = await new Talk().opened();
  expect((await next.ask({ model: 'native', input: 'Hello!' })).at(-1)?.type).toBe('response.completed');
  next.socket.close();
  expect(gateway.log()).not.toContain('failed inside the gateway');
});

it('checks the key before the handshake, and budget, limits and form of every request', async () => {
  const stranger = new WebSocket(address, { headers: { authorization: 'Bearer sk-nobody' } });
  const [failure] = (await once(stranger, 'error')) as [Error];
  expect(failure.message).toContain('401');

  const key = await gateway.makeKey({ max_budget: 0.5 });
  const talk = await new Talk(key).opened();
  fake.setDefault({ text: 'Dear.' });
  const asked = { model: 'priced', input: 'Hi', max_output_tokens: 100, store: false };
  expect((await talk.ask(asked)).at(-1)?.type).toBe('response.completed');
  expect((await talk.ask({ ...asked, max_output_tokens: 100_000 })).at(-1)).toMatchObject({
    type: 'error',
    status: 429,
    error: { code: 'budget_exceeded' },
  });
  for (const [message, expected] of [
    ['{"type":', /not valid JSON/],
    ['[]', /response.create/],
    [{ input: 'x' }, /model/],
    [{ model: 'native', input: 5 }, /input/],
    [{ model: 'no-such-model', input: 'x' }, /no-such-model/],
  ] as const) {
    const [told] = await talk.ask(message as object | string);
    expect(told).toMatchObject({ type: 'error', error: { message: expect.stringMatching(expected) } });
  }
  talk.socket.close();
  const rows = (await (await gateway.get(`/spend/logs?api_key=${encodeURIComponent(key)}`)).json()) as unknown[];
  expect(JSON.stringify(rows)).toContain('aresponses');
});

it('tells a stream that broke as an error, and goes on', async () => {
  const talk = await new Talk().opened();
  fake.enqueue({ reset: { event: 7 }, delayBetweenEventsMs: 2 });
  expect((await talk.ask({ model: 'native', input: 'x' })).at(-1)?.type).toBe('error');
  expect((await talk.ask({ model: 'native', input: 'y' })).at(-1)?.type).toBe('response.completed');
  talk.socket.close();
});

it('speaks with the official client', async () => {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: masterKey });
  const talk = new ResponsesWS(client);
  fake.setDefault({ text: 'Grüezi, 世界 👋' });
  const text = await new Promise<string>((resolve, reject) => {
    let said = '';
    talk.on('response.output_text.delta', (event) => {
      said += event.delta;
    });
    talk.on('response.completed', () => resolve(said));
    talk.on('error', reject);
    talk.send({ type: 'response.create', model: 'claude', input: 'Hello' });
  });
  expect(text).toBe('Grüezi, 世界 👋');
  talk.close();
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Realtime sessions: a turn at a time is paid for, and the session ends where nothing more can be. */
let server: WebSocketServer;
let entra: Server;
let gateway: GatewayProcess;
/** Sessions as the provider sees them. */
let sessions: { socket: WebSocket; request: IncomingMessage; heard: Record<string, unknown>[] }[] = [];
/** What it does with a `response.create`. */
let answers: (socket: WebSocket, turn: number) => void;

const usage = {
  total_tokens: 1_000,
  input_tokens: 600,
  output_tokens: 400,
  input_token_details: { text_tokens: 500, audio_tokens: 100, cached_tokens: 0 },
  output_token_details: { text_tokens: 100, audio_tokens: 300 },
};

function wholeTurn(socket: WebSocket, turn: number): void {
  const say = (event: object) => socket.send(JSON.stringify(event));
  say({ type: 'response.created', response: { id: `resp_${turn}`, status: 'in_progress' } });
  say({ type: 'response.output_audio.delta', response_id: `resp_${turn}`, delta: 'AAAA' });
  say({ type: 'response.done', response: { id: `resp_${turn}`, status: 'completed', usage } });
}

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  let turns = 0;
  server.on('connection', (socket, request) => {
    const session = { socket, request, heard: [] as Record<string, unknown>[] };
    sessions.push(session);
    socket.send(JSON.stringify({ type: 'session.created', session: { id: 'sess_1' } }));
    socket.on('message', (bytes: Buffer) => {
      const event = JSON.parse(bytes.toString()) as Record<string, unknown>;
      session.heard.push(event);
      if (event.type === 'response.create') answers(socket, ++turns);
    });
  });
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}/v1`;
  entra = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: 'entra-token-1', expires_in: 3_600, token_type: 'Bearer' }));
  });
  entra.listen(0, '127.0.0.1');
  await once(entra, 'listening');
  const price = 'input_cost_per_token: 0.0001, output_cost_per_token: 0.0001';
  gateway = await startGateway({
    config: `
model_list:
  - model_name: talker
    litellm_params: { model: openai/gpt-realtime, api_base: "${address}", api_key: sk-upstream-1, ${price} }
    model_info: { max_input_tokens: 1000, mode: realtime }
  - model_name: capped
    litellm_params: { model: openai/gpt-realtime, api_base: "${address}", api_key: sk-upstream-1, max_budget: 0.7, budget_duration: 1d, ${price} }
    model_info: { max_input_tokens: 1000, mode: realtime }
  - model_name: signed
    litellm_params: { model: azure/talks, api_base: "http://127.0.0.1:${port}", tenant_id: t, client_id: c, client_secret: s3cr3t, ${price} }
    model_info: { max_input_tokens: 1000, mode: realtime }
  - model_name: nobody
    litellm_params: { model: openai/gpt-realtime, api_base: "http://127.0.0.1:1/v1", api_key: sk-upstream-1, ${price} }
    model_info: { max_input_tokens: 1000 }
`,
    env: { AZURE_AUTHORITY_HOST: `http://127.0.0.1:${(entra.address() as AddressInfo).port}` },
  });
});

beforeEach(() => {
  sessions = [];
  answers = wholeTurn;
});

afterAll(async () => {
  await gateway?.stop();
  for (const socket of server.clients) socket.terminate();
  server.close();
  entra.close();
});

interface Client {
  readonly socket: WebSocket;
  readonly heard: Record<string, unknown>[];
  readonly closed: Promise<{ code: number; reason: string }>;
  until(type: string, count?: number): Promise<Record<string, unknown>>;
  say(event: object): void;
}

async function connect(key = masterKey, model = 'talker', protocols: string[] = []): Promise<Client> {
  const headers = protocols.length > 0 ? {} : { authorization: `Bearer ${key}` };
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=${model}`, protocols, {
    headers,
  });
  const heard: Record<string, unknown>[] = [];
  socket.on('message', (bytes: Buffer) => heard.push(JSON.parse(bytes.toString())));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await once(socket, 'open');
  return {
    socket,
    heard,
    closed,
    say: (event) => socket.send(JSON.stringify(event)),
    until: async (type, count = 1) => {
      for (let waited = 0; waited < 5_000; waited += 10) {
        const found = heard.filter((event) => event.type === type);
        if (found.length >= count) return found[count - 1]!;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`no ${type} among ${JSON.stringify(heard)} ${gateway.log()}`);
    },
  };
}

async function keyWith(limits: object): Promise<{ key: string; spent: () => Promise<number> }> {
  const made = await gateway.post('/key/generate', limits);
  const { key } = (await made.json()) as { key: string };
  const spent = async () => {
    const told = (await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } };
    return told.info.spend;
  };
  return { key, spent };
}

async function settled(spent: () => Promise<number>, expected: number): Promise<void> {
  let last = Number.NaN;
  for (let waited = 0; waited < 5_000; waited += 50) {
    last = await spent();
    if (Math.abs(last - expected) < 1e-9) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(last).toBeCloseTo(expected, 9);
}

describe('a session', () => {
  it('goes both ways as it is, under the upstream name and credential, and costs its turns', async () => {
    const { key, spent } = await keyWith({});
    const client = await connect(key);
    await client.until('session.created');
    expect(sessions[0]!.request.url).toBe('/v1/realtime?model=gpt-realtime');
    expect(sessions[0]!.request.headers.authorization).toBe('Bearer sk-upstream-1');
    client.say({ type: 'session.update', session: { instructions: 'Grüezi' } });
    client.say({ type: 'response.create' });
    expect(await client.until('response.output_audio.delta')).toMatchObject({ delta: 'AAAA' });
    await client.until('response.done');
    client.say({ type: 'response.create' });
    await client.until('response.done', 2);
    expect(sessions[0]!.heard[0]).toEqual({ type: 'session.update', session: { instructions: 'Grüezi' } });
    client.socket.close();
    await client.closed;
    await settled(spent, 0.2);
    const logs = (await (await gateway.get('/spend/logs')).json()) as { call_type: string; spend: number }[];
    const costs = logs.filter(({ call_type }) => call_type === '_arealtime').map(({ spend }) => spend);
    expect(costs.filter((cost) => cost > 0)).toEqual([0.1, 0.1]);
  });

  it('ends with the reason where the budget has no room for another turn, not a token over', async () => {
    // A turn is held at up to 1,000 tokens in and 4,096 out: 51 cents; it costs 10.
    const { key, spent } = await keyWith({ max_budget: 0.7 });
    const client = await connect(key);
    for (let turn = 1; turn <= 2; turn += 1) {
      client.say({ type: 'response.create' });
      await client.until('response.done', turn);
    }
    expect(await client.until('error')).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(await client.closed).toMatchObject({ code: 1008 });
    await settled(spent, 0.2);
    const again = await connect(key);
    expect(await again.until('error')).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(await again.closed).toMatchObject({ code: 1008 });
    expect(sessions).toHaveLength(1);
  });

  it('whose provider begins a turn that nobody can pay for stops it, and what it came to is on the books', async () => {
    const say = (socket: WebSocket, event: object) => socket.send(JSON.stringify(event));
    answers = (socket, turn) => {
      for (const id of [`resp_${turn}`, `own_${turn}`]) say(socket, { type: 'response.created', response: { id } });
      socket.on('message', (bytes: Buffer) => {
        const { type, response_id: id } = JSON.parse(bytes.toString()) as Record<string, unknown>;
        if (type === 'response.cancel')
          say(socket, { type: 'response.done', response: { id, status: 'cancelled', usage } });
      });
    };
    const { key, spent } = await keyWith({ max_budget: 0.7 });
    const client = await connect(key);
    client.say({ type: 'response.create' });
    expect(await client.until('error')).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(await client.closed).toMatchObject({ code: 1008 });
    await settled(spent, 0.2);
    const cancels = sessions[0]!.heard.filter(({ type }) => type === 'response.cancel');
    expect(cancels.map(({ response_id: id }) => String(id).slice(0, 4)).sort()).toEqual(['own_', 'resp']);
  });

  it('ends where the budget of its deployment has no room for another turn', async () => {
    const client = await connect(masterKey, 'capped');
    for (let turn = 1; turn <= 2; turn += 1) {
      client.say({ type: 'response.create' });
      await client.until('response.done', turn);
    }
    expect(await client.until('error')).toMatchObject({ error: { code: 'deployments_over_budget' } });
    expect(await client.closed).toMatchObject({ code: 1008 });
    const again = await connect(masterKey, 'capped');
    expect(JSON.stringify(await again.until('error'))).toContain('deployments_over_budget');
    expect(sessions).toHaveLength(1);
  });

  it('at a provider that wants a token of its own', async () => {
    const client = await connect(masterKey, 'signed');
    await client.until('session.created');
    expect(sessions[0]!.request.headers.authorization).toBe('Bearer entra-token-1');
    expect(sessions[0]!.request.url).toMatch(/^\/openai\/realtime\?api-version=[^&]+&deployment=talks$/);
    client.socket.close();
  });

  it('whose turn never ends is charged what was held for it', async () => {
    answers = (socket, turn) => {
      socket.send(JSON.stringify({ type: 'response.created', response: { id: `resp_${turn}` } }));
      setTimeout(() => socket.terminate(), 100);
    };
    const { key, spent } = await keyWith({});
    const client = await connect(key);
    client.say({ type: 'response.create' });
    expect(await client.until('error')).toMatchObject({
      error: { message: expect.stringContaining('closed the session') },
    });
    expect(await client.closed).toMatchObject({ code: 1011 });
    await settled(spent, 1_000 * 0.0001 + 4_096 * 0.0001);
  });

  it('whose client leaves in a turn has it cancelled, and pays what it came to', async () => {
    answers = (socket, turn) => {
      socket.send(JSON.stringify({ type: 'response.created', response: { id: `resp_${turn}` } }));
      socket.on('message', (bytes: Buffer) => {
        const { type, response_id } = JSON.parse(bytes.toString()) as Record<string, unknown>;
        if (type !== 'response.cancel' || response_id !== `resp_${turn}`) return;
        const seen = { ...usage, total_tokens: 700, output_tokens: 100, output_token_details: { text_tokens: 100 } };
        const response = { id: response_id, status: 'cancelled', usage: seen };
        setTimeout(() => socket.send(JSON.stringify({ type: 'response.done', response })), 50);
      });
    };
    const { key, spent } = await keyWith({ max_budget: 2 });
    const client = await connect(key);
    client.say({ type: 'response.create' });
    await client.until('response.created');
    client.socket.close();
    await settled(spent, 0.07);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sessions[0]!.socket.readyState).toBeGreaterThanOrEqual(2);
  });

  it('goes on where a turn begins in the moment in which another one ends', async () => {
    // There is room for one turn at a time: 51 cents are held, and 10 are what it costs.
    answers = (socket, turn) => {
      const say = (type: string, response: object) => JSON.stringify({ type, response });
      const [first, second] = [`resp_${turn}_1`, `resp_${turn}_2`];
      socket.send(say('response.created', { id: first }));
      const bare = (socket as unknown as { _socket: { cork(): void; uncork(): void } })._socket;
      setTimeout(() => {
        bare.cork();
        socket.send(say('response.done', { id: first, status: 'cancelled', usage }));
        socket.send(say('response.created', { id: second }));
        socket.send(say('response.done', { id: second, status: 'completed', usage }));
        bare.uncork();
      }, 100);
    };
    const { key, spent } = await keyWith({ max_budget: 0.95 });
    const client = await connect(key);
    client.say({ type: 'response.create' });
    await client.until('response.done', 2);
    client.socket.close();
    await settled(spent, 0.2);
    expect(client.heard.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('takes a key from the protocols, as browsers offer it', async () => {
    const client = await connect('', 'talker', ['realtime', `openai-insecure-api-key.${masterKey}`]);
    await client.until('session.created');
    expect(client.socket.protocol).toBe('realtime');
    client.socket.close();
  });

  it('with a provider that cannot be reached says so', async () => {
    const client = await connect(masterKey, 'nobody');
    const error = await client.until('error');
    expect(JSON.stringify(error)).toContain('connection failed');
    expect(JSON.stringify(error)).not.toContain('127.0.0.1');
    expect(await client.closed).toMatchObject({ code: 1011 });
  });

  it.each([
    ['', 'model: required'],
    ['unknown', 'unknown'],
  ])('with the model %j says what is wrong', async (model, message) => {
    const client = await connect(masterKey, model);
    expect(JSON.stringify(await client.until('error'))).toContain(message);
    expect(await client.closed).toMatchObject({ code: 1008 });
  });

  it('without a good key is refused before the handshake', async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=talker`, {
      headers: { authorization: 'Bearer sk-wrong' },
    });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('401');
  });

  it('holds back a provider that is faster than its client', async () => {
    const megabyte = 'A'.repeat(1_000_000);
    answers = (socket) => {
      for (let index = 0; index < 40; index += 1) {
        socket.send(JSON.stringify({ type: 'response.output_audio.delta', delta: megabyte, index }));
      }
    };
    const client = await connect();
    client.socket.pause();
    client.say({ type: 'response.create' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(sessions[0]!.socket.bufferedAmount).toBeGreaterThan(10_000_000);
    client.socket.resume();
    const last = await client.until('response.output_audio.delta', 40);
    expect(last).toMatchObject({ index: 39 });
    client.socket.close();
  });
});

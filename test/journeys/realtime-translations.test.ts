import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Account, accountAt } from './support/account.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Sessions that translate while they are spoken to: all sound that goes to the provider is held before and paid exactly. */
let server: WebSocketServer;
let gateway: GatewayProcess;
interface Heard {
  readonly request: IncomingMessage;
  readonly events: Record<string, unknown>[];
  readonly socket: WebSocket;
  ms: number;
}
let sessions: Heard[] = [];

/** Nano-dollars of so much sound, rounded up row by row: 0.034 dollars a minute, and 0.017 for who writes down. */
const translated = (ms: number) => Math.ceil((ms * 566_666_667) / 1e6);
const written = (ms: number) => Math.ceil((ms * 283_333_333) / 1e6);
const frameMs = 200;
const frame = Buffer.alloc(frameMs * 48, 1).toString('base64');

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket, request) => {
    const session: Heard = { request, events: [], socket, ms: 0 };
    sessions.push(session);
    const say = (event: object) => socket.send(JSON.stringify(event));
    const audio = { input: { transcription: null }, output: { language: 'en' } };
    say({
      type: 'session.created',
      session: { id: 'sess_1', type: 'translation', model: 'gpt-realtime-translate', audio },
    });
    socket.on('message', (bytes: Buffer) => {
      const event = JSON.parse(bytes.toString()) as Record<string, unknown>;
      if (event.type !== 'session.input_audio_buffer.append') session.events.push(event);
      if (event.type === 'session.update') say({ type: 'session.updated', session: event.session });
      if (event.type === 'session.input_audio_buffer.append') {
        session.ms += Buffer.from(String(event.audio), 'base64').length / 48;
        say({ type: 'session.output_audio.delta', delta: 'AAAA', elapsed_ms: session.ms });
      }
      if (event.type === 'session.close') {
        say({ type: 'session.closed' });
        socket.close(1000);
      }
    });
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const place = `api_base: "${address}", api_key: sk-upstream-1`;
  gateway = await startGateway({
    config: `
model_list:
  - { model_name: interpreter, litellm_params: { model: openai/gpt-realtime-translate, ${place} }, model_info: { mode: realtime } }
  - { model_name: scribe, litellm_params: { model: openai/gpt-realtime-whisper, ${place} }, model_info: { mode: audio_transcription } }
`,
  });
});

beforeEach(() => {
  sessions = [];
});

afterAll(async () => {
  await gateway?.stop();
  for (const socket of server.clients) socket.terminate();
  server.close();
});

const account = (limits: object = {}) => accountAt(gateway, limits);

interface Talk {
  readonly socket: WebSocket;
  readonly heard: Record<string, unknown>[];
  readonly closed: Promise<number>;
  say(event: object): void;
  sound(ms: number): void;
  until(is: () => boolean): Promise<void>;
}

async function connect(key: string, query = '?model=interpreter', path = '/v1/realtime/translations'): Promise<Talk> {
  const headers = { authorization: `Bearer ${key}` };
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}${query}`, { headers });
  const heard: Record<string, unknown>[] = [];
  socket.on('message', (bytes: Buffer) => heard.push(JSON.parse(bytes.toString())));
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await once(socket, 'open');
  const say = (event: object) => socket.send(JSON.stringify(event));
  const sound = (ms: number) => {
    for (let sent = 0; sent < ms; sent += frameMs) say({ type: 'session.input_audio_buffer.append', audio: frame });
  };
  const until = async (is: () => boolean) => {
    await expect.poll(is, { timeout: 5_000, interval: 10, message: gateway.log().slice(-2_000) }).toBe(true);
  };
  return { socket, heard, closed, say, sound, until };
}

const count = ({ heard }: Talk, type: string) => heard.filter((event) => event.type === type).length;

async function becomes({ spent }: Account, expected: number): Promise<void> {
  await expect.poll(spent, { timeout: 5_000, interval: 50 }).toBe(expected);
}

describe('a session that translates', () => {
  it('goes both ways as it is, and costs the length of its sound', async () => {
    const mine = await account({ models: ['interpreter'], max_budget: 1 });
    const one = await connect(mine.key);
    await one.until(() => count(one, 'session.created') === 1);
    const update = { type: 'session.update', session: { audio: { output: { language: 'de' } } } };
    one.say(update);
    one.sound(3_000);
    await one.until(() => count(one, 'session.output_audio.delta') === 15);
    one.say({ type: 'session.close' });
    expect(await one.closed).toBe(1000);
    expect(count(one, 'session.closed')).toBe(1);
    const { request, events, ms } = sessions[0]!;
    expect(request.url).toBe('/v1/realtime/translations?model=gpt-realtime-translate');
    expect(request.headers.authorization).toBe('Bearer sk-upstream-1');
    expect(events).toEqual([update, { type: 'session.close' }]);
    expect(ms).toBe(3_000);
    await becomes(mine, translated(3_000));
  });

  it('is on the books a minute at a time, and for what was sent when its client leaves', async () => {
    const mine = await account({ max_budget: 1 });
    const one = await connect(mine.key);
    one.sound(70_000);
    await one.until(() => sessions[0]?.ms === 70_000);
    one.socket.close();
    await becomes(mine, translated(60_000) + translated(10_000));
    const rows = (await (await gateway.get(`/spend/logs?api_key=${mine.key}`)).json()) as { spend: number }[];
    const paid = rows.map(({ spend }) => spend).filter((spend) => spend > 0);
    expect(paid.sort()).toEqual([translated(10_000) / 1e9, translated(60_000) / 1e9]);
  });

  it('pays who writes down what was said, by the same length, under its own price', async () => {
    const mine = await account();
    const one = await connect(mine.key);
    one.sound(1_000);
    const transcription = { model: 'scribe' };
    one.say({ type: 'session.update', session: { audio: { input: { transcription } } } });
    one.sound(2_000);
    await one.until(() => sessions[0]?.ms === 3_000);
    expect(sessions[0]!.events[0]).toMatchObject({
      session: { audio: { input: { transcription: { model: 'gpt-realtime-whisper' } } } },
    });
    one.socket.close();
    await becomes(mine, translated(3_000) + written(2_000));
  });

  it('ends with the reason where no more sound has room, not a millisecond over', async () => {
    const budget = translated(25_000);
    const mine = await account({ max_budget: budget / 1e9 });
    const one = await connect(mine.key);
    one.sound(60_000);
    await one.until(() => count(one, 'error') === 1);
    expect(one.heard.at(-1)).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(await one.closed).toBe(1008);
    const { ms } = sessions[0]!;
    expect(ms).toBeGreaterThanOrEqual(10_000);
    expect(ms).toBeLessThanOrEqual(25_000);
    await becomes(mine, translated(ms));
    expect(await mine.spent()).toBeLessThanOrEqual(budget);
  });

  it('whose provider cuts it pays what was sent', async () => {
    const mine = await account({ max_budget: 1 });
    const one = await connect(mine.key);
    one.sound(1_000);
    await one.until(() => sessions[0]?.ms === 1_000);
    sessions[0]!.socket.terminate();
    expect(await one.closed).toBe(1011);
    await becomes(mine, translated(1_000));
  });

  it.each([
    ['no model', masterKey, '', 'expected in the address'],
    ['a model that is none', masterKey, '?model=nobody', 'Invalid model name'],
  ])('with %s is refused with what is wrong', async (_, key, query, reason) => {
    const one = await connect(key, query);
    await one.until(() => count(one, 'error') === 1);
    expect(JSON.stringify(one.heard)).toContain(reason);
    await one.closed;
    expect(sessions).toHaveLength(0);
  });

  it('with a model that the key may not use is refused', async () => {
    const mine = await account({ models: ['scribe'] });
    const one = await connect(mine.key);
    await one.until(() => count(one, 'error') === 1);
    expect(JSON.stringify(one.heard)).toContain('not allowed');
    expect(sessions).toHaveLength(0);
  });

  it('is opened by a browser with a secret of its own, which opens nothing else', async () => {
    const mine = await account({ max_budget: 1 });
    const ask = async (session: object) =>
      (
        await fetch(`${gateway.url}/v1/realtime/translations/client_secrets`, {
          method: 'POST',
          headers: { authorization: `Bearer ${mine.key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ session }),
        })
      ).json() as Promise<{ value: string; session: object; error?: { message: string } }>;
    const audio = { output: { language: 'fr' } };
    const { value, session } = await ask({ model: 'interpreter', audio });
    expect(session).toMatchObject({ type: 'translation', model: 'interpreter', audio });
    const one = await connect(value, '?model=scribe');
    await one.until(() => count(one, 'session.updated') === 1);
    expect(sessions[0]!.request.url).toBe('/v1/realtime/translations?model=gpt-realtime-translate');
    expect(sessions[0]!.events).toEqual([{ type: 'session.update', session: { audio } }]);
    one.sound(200);
    await one.until(() => sessions[0]!.ms === 200);
    one.socket.close();
    await becomes(mine, translated(200));
    await expect(connect(value, '', '/v1/realtime')).rejects.toThrow(/401/);
    expect((await ask({})).error?.message).toContain('session.model');
  });
});

import { connect as connectSocket } from 'node:net';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type RealtimeFake, startRealtimeFake } from '../fake-provider/realtime.ts';
import { type Account, accountAt } from './support/account.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* What is said in a realtime session is transcribed by a model of its own, on the same account: the provider's invoice and
   the gateway's books agree to the nano-dollar. */
let fake: RealtimeFake;
let gateway: GatewayProcess;

/** A second of whisper costs 100,000 nano-dollars, of scribe a token 6,000 heard, 2,500 read, 10,000 written. */
const whisper = { perMs: 100_000_000 };
const scribe = { perAudioToken: 6_000_000_000, perTextToken: 2_500_000_000, perOutputToken: 10_000_000_000 };

beforeAll(async () => {
  fake = await startRealtimeFake({
    transcribers: {
      'whisper-1': whisper,
      'gpt-4o-transcribe': scribe,
      'gpt-live-transcribe': { perMs: 283_333_333 },
      house: whisper,
      'nobodys-model': {
        perAudioToken: 100_000_000_000,
        perTextToken: 100_000_000_000,
        perOutputToken: 100_000_000_000,
      },
    },
  });
  const at = `api_base: "${fake.address}", api_key: sk-upstream-1`;
  gateway = await startGateway({
    config: `
model_list:
  - model_name: talker
    litellm_params: { model: openai/gpt-realtime, ${at}, input_cost_per_token: 0.0001, output_cost_per_token: 0.0001 }
    model_info: { max_input_tokens: 1000, mode: realtime }
  - model_name: scribe
    litellm_params: { model: openai/gpt-4o-transcribe, ${at} }
    model_info: { mode: audio_transcription }
  - model_name: house-whisper
    litellm_params: { model: openai/house, ${at}, input_cost_per_second: 0.0001 }
    model_info: { mode: audio_transcription }
  - model_name: capped-scribe
    litellm_params: { model: openai/house, ${at}, input_cost_per_second: 0.0001, max_budget: 0.0065, budget_duration: 1d }
    model_info: { mode: audio_transcription }
  - model_name: elsewhere
    litellm_params: { model: groq/whisper-large-v3, api_key: sk-upstream-2 }
    model_info: { mode: audio_transcription }
`,
  });
});

beforeEach(() => {
  fake.invoice.length = 0;
  fake.sessions.length = 0;
  fake.faults = {};
});

afterAll(async () => {
  await gateway?.stop();
  await fake.close();
});

const account = (limits: object = {}) => accountAt(gateway, limits);

interface Row {
  readonly model_group: string;
  readonly spend: number;
  readonly call_type: string;
  readonly status: string;
  readonly metadata: Record<string, unknown>;
}

async function rowsOf({ key }: Account): Promise<Row[]> {
  return (await (await gateway.get(`/spend/logs?api_key=${key}`)).json()) as Row[];
}

/** The books say what the invoice says: `expected`, where it is known beforehand, for at first both say nothing. */
async function agree({ spent }: Account, expected?: number): Promise<number> {
  let told = await spent();
  for (let waited = 0; waited < 6_000; waited += 50) {
    if (told === fake.billed() && (expected ?? told) === told) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
    told = await spent();
  }
  expect(told).toBe(fake.billed());
  if (expected !== undefined) expect(told).toBe(expected);
  return told;
}

type Event = Record<string, unknown>;

interface Talk {
  readonly rt: OpenAIRealtimeWS;
  readonly heard: Event[];
  readonly closed: Promise<number>;
  until(type: string, count?: number): Promise<Event>;
}

/** The official client insists on wss; the connection below it is a bare one. */
async function talk(key: string, model = 'talker'): Promise<Talk> {
  const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  const { port } = new URL(gateway.url);
  const options = { createConnection: () => connectSocket(Number(port), '127.0.0.1') };
  const session = listenTo(new OpenAIRealtimeWS({ model, options } as never, client));
  await session.until('session.created');
  return session;
}

function listenTo(rt: OpenAIRealtimeWS): Talk {
  const heard: Event[] = [];
  rt.on('event', (event) => heard.push(event as unknown as Event));
  rt.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => rt.socket.on('close', resolve));
  return { rt, heard, closed, until: (type, count) => heardIn(heard, type, count) };
}

async function heardIn(heard: Event[], type: string, count = 1): Promise<Event> {
  for (let waited = 0; waited < 5_000; waited += 10) {
    const found = heard.filter((event) => event.type === type);
    if (found.length >= count) return found[count - 1]!;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no ${type} among ${JSON.stringify(heard)} ${gateway.log()}`);
}

const completed = 'conversation.item.input_audio_transcription.completed';
const sound = (ms: number, byte = 1) => Buffer.alloc(ms * 48, byte).toString('base64');

function transcribeBy({ rt }: Pick<Talk, 'rt'>, model: string | null, detects = false): void {
  const transcription = model === null ? null : { model };
  const turn_detection = detects ? ({ type: 'server_vad' } as const) : null;
  rt.send({
    type: 'session.update',
    session: { type: 'realtime', audio: { input: { transcription, turn_detection } } },
  } as never);
}

const say = ({ rt }: Pick<Talk, 'rt'>, type: string) => rt.send({ type } as never);
const append = ({ rt }: Pick<Talk, 'rt'>, ms: number, byte = 1) =>
  rt.send({ type: 'input_audio_buffer.append', audio: sound(ms, byte) });
const commit = ({ rt }: Pick<Talk, 'rt'>) => rt.send({ type: 'input_audio_buffer.commit' });

const wish = (model: string, turn_detection: object | null = null) => ({
  type: 'session.update',
  session: { type: 'transcription', audio: { input: { transcription: { model }, turn_detection } } },
});

function transcripts(key: string, query = '?intent=transcription', headers: Record<string, string> = {}): Talk {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime${query}`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
  });
  const waiting: string[] = [];
  socket.on('open', () => {
    for (const text of waiting.splice(0)) socket.send(text);
  });
  const heard: Event[] = [];
  socket.on('message', (bytes: Buffer) => heard.push(JSON.parse(bytes.toString())));
  socket.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  const send = (event: object) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(event));
    else waiting.push(JSON.stringify(event));
  };
  const rt = { send, close: () => socket.close(), socket } as unknown as OpenAIRealtimeWS;
  return { rt, heard, closed, until: (type, count) => heardIn(heard, type, count) };
}

describe('what is said in a conversation', () => {
  it('costs its transcript beside its turns, in seconds or tokens, under public prices', async () => {
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1');
    await session.until('session.updated');
    append(session, 2_500);
    commit(session);
    expect(await session.until(completed)).toMatchObject({ usage: { type: 'duration', seconds: 2.5 } });
    session.rt.send({ type: 'response.create' });
    await session.until('response.done');
    transcribeBy(session, 'gpt-4o-transcribe');
    await session.until('session.updated', 2);
    append(session, 1_234);
    append(session, 3_000);
    commit(session);
    expect(await session.until(completed, 2)).toMatchObject({ usage: { type: 'tokens', output_tokens: 11 } });
    session.rt.close();
    await session.closed;
    // 250,000 for 2.5 seconds; 43 tokens heard, 3 read, 11 written; one turn.
    await agree(mine, 250_000 + 43 * 6_000 + 3 * 2_500 + 11 * 10_000 + 100_000_000);
    const rows = (await rowsOf(mine)).filter(({ spend }) => spend > 0);
    expect(rows.map(({ model_group, call_type }) => `${call_type} ${model_group}`).sort()).toEqual([
      '_arealtime talker',
      'atranscription scribe',
      'atranscription whisper-1',
    ]);
  });

  it('is taken by the provider when it hears a pause, one transcript for each thing said', async () => {
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1', true);
    await session.until('session.updated');
    // A long silence before, in between, and words that are never finished.
    for (const [ms, byte] of [
      [70_000, 0],
      [1_500, 1],
      [900, 0],
      [2_000, 1],
      [20_000, 0],
      [740, 1],
    ] as const) {
      append(session, ms, byte);
    }
    await session.until(completed, 2);
    session.rt.close();
    // With the half second of silence that ends each.
    await agree(mine, 200_000 + 250_000);
  });

  it('is paid for in full, and never beyond a cap, where many things said come at once', async () => {
    const burst = Buffer.concat(
      Array.from({ length: 8 }, (_, index) =>
        Buffer.concat([Buffer.alloc((1_000 + index * 100) * 48, 1), Buffer.alloc(1_000 * 48)]),
      ),
    );
    const mine = await account({ max_budget: 0.6 });
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1', true);
    await session.until('session.updated');
    session.rt.send({ type: 'input_audio_buffer.append', audio: burst.toString('base64') });
    await session.until(completed, 8);
    session.rt.close();
    await agree(mine, (8_000 + 2_800 + 8 * 500) * 100);
    const tight = await account({ max_budget: 0.0025 });
    const last = transcripts(tight.key);
    last.rt.send(wish('house-whisper', { type: 'server_vad' }) as never);
    last.rt.send({ type: 'input_audio_buffer.append', audio: burst.toString('base64') });
    last.rt.send({ type: 'input_audio_buffer.append', audio: burst.toString('base64') });
    expect(await last.until('error')).toMatchObject({ error: { code: 'budget_exceeded' } });
    await last.closed;
    fake.invoice.splice(0, 8);
    expect(await agree(tight)).toBeLessThanOrEqual(2_500_000);
  });

  it('is charged once where its transcript is told twice', async () => {
    fake.faults = { twice: true };
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1');
    append(session, 4_000);
    commit(session);
    await session.until(completed, 2);
    session.rt.close();
    await agree(mine, 400_000);
  });

  it('is charged by what was heard where the provider tells no usage, marked as an estimate', async () => {
    fake.faults = { silent: true };
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1');
    append(session, 1_900);
    append(session, 120);
    commit(session);
    await session.until(completed);
    session.rt.close();
    await agree(mine, 202_000);
    const row = (await rowsOf(mine)).find(({ spend }) => spend > 0);
    expect(JSON.stringify(row)).toContain('"estimated":true');
  });

  it('costs nothing where it fails, and nothing more than was committed where the rest was dropped', async () => {
    fake.faults = { fails: true };
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1');
    append(session, 5_000);
    say(session, 'input_audio_buffer.clear');
    append(session, 1_000);
    commit(session);
    await session.until('conversation.item.input_audio_transcription.failed');
    commit(session);
    await session.until('error');
    append(session, 9_000);
    session.rt.close();
    await agree(mine, 0);
    const failed = (await rowsOf(mine)).filter(({ status }) => status === 'failure');
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ model_group: 'whisper-1', call_type: 'atranscription' });
  });

  it.each([
    ['whose client leaves', { mute: true }],
    ['whose provider cuts', { cuts: true, mute: true }],
  ])('%s before the transcript is there is paid for all the same', async (_, faults) => {
    fake.faults = faults;
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1');
    append(session, 3_333);
    commit(session);
    await session.until('input_audio_buffer.committed');
    append(session, 700);
    if ('cuts' in faults) expect(await session.closed).toBe(1011);
    else session.rt.close();
    await agree(mine, 333_300);
  });

  it('is waited for when its client leaves at once: its tokens are told then', async () => {
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'scribe');
    append(session, 2_000);
    commit(session);
    session.rt.close();
    await agree(mine, 20 * 6_000 + 3 * 2_500 + 5 * 10_000);
    expect(JSON.stringify(await rowsOf(mine))).not.toContain('"estimated":true');
  });

  it('is transcribed by a model of the configuration under its own name and price', async () => {
    const mine = await account({ models: ['talker', 'house-whisper'] });
    const session = await talk(mine.key);
    transcribeBy(session, 'house-whisper');
    expect(await session.until('session.updated')).toMatchObject({
      session: { audio: { input: { transcription: { model: 'house' } } } },
    });
    append(session, 6_000);
    commit(session);
    await session.until(completed);
    session.rt.close();
    await agree(mine, 600_000);
    expect((await rowsOf(mine)).find(({ spend }) => spend > 0)).toMatchObject({ model_group: 'house-whisper' });
  });

  it('is not transcribed by a model that the key may not use, and the session goes on', async () => {
    const mine = await account({ models: ['talker', 'whisper-1'] });
    const session = await talk(mine.key);
    transcribeBy(session, 'scribe');
    expect(await session.until('error')).toMatchObject({ error: { code: 'key_model_denied' } });
    expect(fake.sessions[0]!.heard).toEqual([]);
    transcribeBy(session, 'whisper-1');
    await session.until('session.updated');
    append(session, 1_000);
    commit(session);
    await session.until(completed);
    session.rt.close();
    await agree(mine, 100_000);
  });

  it('by a model that nobody has a price for costs what the model of the session costs', async () => {
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'nobodys-model');
    append(session, 1_000);
    commit(session);
    await session.until(completed);
    session.rt.close();
    // 10 tokens heard, 3 read, 3 written.
    await agree(mine, 16 * 100_000);
  });

  it.each([
    ['tells in its settings', {}, 3_000 * 100],
    // 30 tokens heard, 3 read, 8 written, at the price of the model of the session.
    ['tells nobody about', { hides: true }, 41 * 100_000],
  ])('is paid for where the provider transcribes by itself, which it %s', async (_, faults, cost) => {
    fake.faults = { presets: faults === undefined || 'hides' in faults ? 'nobodys-model' : 'whisper-1', ...faults };
    const mine = await account();
    const session = await talk(mine.key);
    append(session, 3_000);
    commit(session);
    await session.until(completed);
    session.rt.close();
    await agree(mine, cost);
  });

  it('ends the conversation where the budget has no room for it beside a turn', async () => {
    // A turn is held at 509,600,000 nano-dollars, ten seconds of sound at 1,000,000.
    const mine = await account({ max_budget: 0.5112 });
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1');
    append(session, 10_000);
    commit(session);
    await session.until(completed);
    append(session, 10_000);
    expect(await session.until('error')).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(await session.closed).toBe(1008);
    await agree(mine, 1_000_000);
    await expect.poll(() => fake.sessions[0]!.soundMs()).toBe(10_000);
  });

  it('waits for its transcript where a limit lets one through at a time', async () => {
    const mine = await account({ max_parallel_requests: 2 });
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1');
    for (let count = 0; count < 4; count += 1) {
      append(session, 1_000);
      commit(session);
    }
    await session.until(completed, 4);
    session.rt.close();
    await agree(mine, 400_000);
  });

  it('stops being paid for where transcripts are switched off', async () => {
    const mine = await account();
    const session = await talk(mine.key);
    transcribeBy(session, 'whisper-1');
    append(session, 1_000);
    commit(session);
    await session.until(completed);
    transcribeBy(session, null);
    await session.until('session.updated', 2);
    append(session, 8_000);
    commit(session);
    await session.until('input_audio_buffer.committed', 2);
    session.rt.close();
    await agree(mine, 100_000);
  });
});

describe('a session that only transcribes', () => {
  it('is greeted, goes to the provider of the model that its settings name, and costs its transcripts alone', async () => {
    const mine = await account({ models: ['house-whisper'], max_budget: 0.5 });
    const session = transcripts(mine.key);
    expect(await session.until('session.created')).toMatchObject({ session: { type: 'transcription' } });
    expect(fake.sessions).toHaveLength(0);
    session.rt.send(wish('house-whisper') as never);
    await session.until('session.updated');
    expect(session.heard.filter(({ type }) => type === 'session.created')).toHaveLength(1);
    expect(fake.sessions[0]!.request.url).toBe('/v1/realtime?intent=transcription');
    expect(fake.sessions[0]!.request.headers.authorization).toBe('Bearer sk-upstream-1');
    for (let ms = 1_000; ms <= 4_000; ms += 1_000) {
      append(session, ms);
      commit(session);
    }
    await session.until(completed, 4);
    session.rt.close();
    await agree(mine, 1_000_000);
    expect((await rowsOf(mine)).every(({ model_group }) => model_group === 'house-whisper')).toBe(true);
  });

  it('takes its model from the address as well, and speaks the older words', async () => {
    const mine = await account();
    const session = transcripts(mine.key, '?intent=transcription&model=scribe', { 'openai-beta': 'realtime=v1' });
    await session.until('transcription_session.created');
    session.rt.send({
      type: 'transcription_session.update',
      session: { input_audio_transcription: { model: 'scribe', prompt: 'Names.' } },
    } as never);
    expect(await session.until('transcription_session.updated')).toMatchObject({
      session: { input_audio_transcription: { model: 'gpt-4o-transcribe' } },
    });
    append(session, 1_000);
    commit(session);
    await session.until(completed);
    session.rt.close();
    await agree(mine, 10 * 6_000 + 3 * 2_500 + 3 * 10_000);
  });

  it('ends with the reason where the budget has no room for another thing said, not a token over', async () => {
    // A minute of sound is held at 6,000,000 nano-dollars, ten seconds at 1,000,000.
    const mine = await account({ max_budget: 0.0038 });
    const session = transcripts(mine.key);
    session.rt.send(wish('house-whisper') as never);
    append(session, 30_000);
    commit(session);
    await session.until(completed);
    append(session, 1_000);
    expect(await session.until('error')).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(await session.closed).toBe(1008);
    await agree(mine, 3_000_000);
    await expect.poll(() => fake.sessions[0]!.soundMs()).toBe(30_000);
    const again = transcripts(mine.key);
    again.rt.send(wish('house-whisper') as never);
    expect(await again.until('error')).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(fake.sessions).toHaveLength(1);
  });

  it('lets no more sound through than the budget has room for', async () => {
    const mine = await account({ max_budget: 0.0138 });
    const session = transcripts(mine.key);
    session.rt.send(wish('house-whisper') as never);
    for (let second = 0; second < 150; second += 10) append(session, 10_000);
    expect(await session.until('error')).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(await session.closed).toBe(1008);
    await expect.poll(() => fake.sessions[0]!.soundMs()).toBe(130_000);
    await agree(mine, 0);
  });

  it('ends where the budget of its deployment has no room for another', async () => {
    const session = transcripts(masterKey);
    session.rt.send(wish('capped-scribe') as never);
    append(session, 10_000);
    commit(session);
    await session.until(completed);
    append(session, 56_000);
    expect(await session.until('error')).toMatchObject({ error: { code: 'deployments_over_budget' } });
    expect(await session.closed).toBe(1008);
    expect(fake.billed()).toBe(1_000_000);
  });

  it('meets the limits of its key', async () => {
    const mine = await account({ rpm_limit: 2 });
    const session = transcripts(mine.key);
    session.rt.send(wish('house-whisper') as never);
    for (let count = 0; count < 3; count += 1) {
      append(session, 1_000);
      commit(session);
    }
    expect(await session.until('error')).toMatchObject({ error: { code: 'rate_limited' } });
    expect(await session.closed).toBe(1008);
    await agree(mine, 200_000);
  });

  it.each([
    ['elsewhere', 'does not offer realtime sessions'],
    ['unheard-of', 'Invalid model name'],
  ])('by %s is refused with what is wrong', async (model, message) => {
    const session = transcripts(masterKey);
    session.rt.send(wish(model) as never);
    expect(JSON.stringify(await session.until('error'))).toContain(message);
    await session.closed;
    expect(fake.sessions).toHaveLength(0);
  });

  it('is opened by a browser with a secret that says by which model', async () => {
    const mine = await account({ models: ['house-whisper'] });
    const client = new OpenAI({ apiKey: mine.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    const secret = await client.realtime.clientSecrets.create({
      session: {
        type: 'transcription',
        audio: { input: { transcription: { model: 'house-whisper' }, turn_detection: null as never } },
      },
    });
    expect(secret.session).toMatchObject({ type: 'transcription', object: 'realtime.transcription_session' });
    const old = await client.beta.realtime.transcriptionSessions.create({
      input_audio_transcription: { model: 'house-whisper' as never },
      client_secret: { expires_at: { anchor: 'created_at', seconds: 30 } },
    });
    for (const [value, updated] of [
      [secret.value, 'session.updated'],
      [old.client_secret.value, 'transcription_session.updated'],
    ] as const) {
      const session = transcripts(value);
      expect(await session.until(updated)).toBeDefined();
      append(session, 1_000);
      commit(session);
      await session.until(completed);
      session.rt.close();
    }
    await agree(mine, 200_000);
  });
});

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { keyOf } from '../../src/admin/encryption.ts';
import { Secret } from '../../src/core/secret.ts';
import { keyIdOf } from '../../src/gateway/access/credential.ts';
import { ClientSecrets } from '../../src/gateway/session/client-secrets.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Browsers open realtime sessions with a secret that their server asked for with its key. */
let server: WebSocketServer;
let gateway: GatewayProcess;
let sessions: { request: IncomingMessage; heard: Record<string, unknown>[] }[] = [];

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket, request) => {
    const session = { request, heard: [] as Record<string, unknown>[] };
    sessions.push(session);
    const say = (event: object) => socket.send(JSON.stringify(event));
    say({ type: 'session.created', session: { id: 'sess_1' } });
    socket.on('message', (bytes: Buffer) => {
      const event = JSON.parse(bytes.toString()) as Record<string, unknown>;
      session.heard.push(event);
      if (event.type === 'session.update') say({ type: 'session.updated', session: event.session });
      if (event.type !== 'response.create') return;
      say({ type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } });
      const usage = { total_tokens: 1_000, input_tokens: 600, output_tokens: 400 };
      say({ type: 'response.done', response: { id: 'resp_1', status: 'completed', usage } });
    });
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const params = `{ model: openai/gpt-realtime, api_base: "${address}", api_key: sk-upstream-1, input_cost_per_token: 0.0001, output_cost_per_token: 0.0001 }`;
  gateway = await startGateway({
    config: `
model_list:
  - { model_name: talker, litellm_params: ${params}, model_info: { max_input_tokens: 1000, mode: realtime } }
  - { model_name: dear-talker, litellm_params: ${params}, model_info: { max_input_tokens: 1000, mode: realtime } }
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

const clientOf = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });

async function keyWith(limits: object): Promise<string> {
  const made = await gateway.post('/key/generate', limits);
  return ((await made.json()) as { key: string }).key;
}

const ask = (path: string, key: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

async function secretOf(key: string, session: object = { type: 'realtime', model: 'talker' }): Promise<string> {
  const answer = await ask('/v1/realtime/client_secrets', key, { session });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { value: string }).value;
}

/** What a session says first, or with which status it is refused. */
async function opened(secret: string, query = '', path = '/v1/realtime'): Promise<Record<string, unknown> | number> {
  const headers = { authorization: `Bearer ${secret}` };
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}${query}`, { headers });
  try {
    return await new Promise((resolve) => {
      socket.once('message', (bytes: Buffer) => resolve(JSON.parse(bytes.toString())));
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      socket.once('error', () => undefined);
    });
  } finally {
    socket.terminate();
  }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 5_000; waited += 20) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited for nothing; ${gateway.log()}`);
}

describe('a client secret', () => {
  it("opens the session it was made for, by the official client, on the key's account", async () => {
    const key = await keyWith({ models: ['talker'] });
    const before = Math.floor(Date.now() / 1_000);
    const secret = await clientOf(key).realtime.clientSecrets.create({
      expires_after: { anchor: 'created_at', seconds: 120 },
      session: { type: 'realtime', model: 'talker', instructions: 'Be brief.', audio: { output: { voice: 'marin' } } },
    });
    expect(secret.value).toMatch(/^ek_/);
    expect(secret.expires_at - before).toBeGreaterThanOrEqual(119);
    expect(secret.expires_at - before).toBeLessThanOrEqual(125);
    expect(secret.session).toMatchObject({ type: 'realtime', object: 'realtime.session', model: 'talker' });

    // As the official client does in a browser: the secret goes among the protocols, to the browser's own WebSocket (it
    // insists on wss). The model is not the browser's to choose.
    const address = `${gateway.url.replace('http', 'ws')}/v1/realtime?model=dear-talker`;
    const browser = new globalThis.WebSocket(address, ['realtime', `openai-insecure-api-key.${secret.value}`]);
    const heard: string[] = [];
    browser.addEventListener('message', ({ data }) => heard.push(JSON.parse(data).type));
    await until(() => heard.includes('session.updated'));
    browser.send(JSON.stringify({ type: 'response.create' }));
    await until(() => heard.includes('response.done'));
    browser.close();
    expect(sessions).toHaveLength(1);
    expect(sessions[0]!.request.url).toBe('/v1/realtime?model=gpt-realtime');
    expect(sessions[0]!.request.headers.authorization).toBe('Bearer sk-upstream-1');
    expect(JSON.stringify(sessions[0]!.request.headers)).not.toContain(secret.value);
    expect(sessions[0]!.heard).toEqual([
      {
        type: 'session.update',
        session: { type: 'realtime', instructions: 'Be brief.', audio: { output: { voice: 'marin' } } },
      },
      { type: 'response.create' },
    ]);
    await until(async () => {
      const told = (await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } };
      return Math.abs(told.info.spend - 0.1) < 1e-9;
    });
    expect(gateway.log()).not.toContain(secret.value);
  });

  it('in the older shape, for sessions of the older shape', async () => {
    const key = await keyWith({});
    const session = (await (
      await ask('/realtime/sessions', key, { model: 'talker', voice: 'alloy', modalities: ['text'] })
    ).json()) as { client_secret: { value: string; expires_at: number }; id: string };
    expect(session).toMatchObject({ object: 'realtime.session', model: 'talker', voice: 'alloy' });
    expect(session.id).toMatch(/^sess_/);
    const lasts = session.client_secret.expires_at - Date.now() / 1_000;
    expect(lasts).toBeGreaterThan(50);
    expect(lasts).toBeLessThanOrEqual(61);
    expect(await opened(session.client_secret.value)).toMatchObject({ type: 'session.created' });
    expect(sessions[0]!.request.headers['openai-beta']).toBe('realtime=v1');
    await until(() => sessions[0]!.heard.length > 0);
    expect(sessions[0]!.heard[0]).toEqual({
      type: 'session.update',
      session: { voice: 'alloy', modalities: ['text'] },
    });
  });

  it('of the master key, without a session, takes the model of the address', async () => {
    const secret = await secretOf(masterKey, {});
    expect(await opened(secret, '?model=talker')).toMatchObject({ type: 'session.created' });
    expect(await opened(secret)).toMatchObject({
      type: 'error',
      error: { message: expect.stringContaining('model: required') },
    });
  });

  it("does what its key may do at the time, and no more: models, budget, block, the key's end", async () => {
    const key = await keyWith({ models: ['talker'], max_budget: 0.2 });
    const denied = await secretOf(key, { model: 'dear-talker' });
    expect(await opened(denied)).toMatchObject({ error: { code: 'key_model_denied' } });
    const secret = await secretOf(key);
    expect(await opened(secret)).toMatchObject({ error: { code: 'budget_exceeded' } });
    await gateway.post('/key/update', { key, max_budget: 100 });
    expect(await opened(secret)).toMatchObject({ type: 'session.created' });
    await gateway.post('/key/block', { key });
    expect(await opened(secret)).toBe(401);
    await gateway.post('/key/unblock', { key });
    expect(await opened(secret)).toMatchObject({ type: 'session.created' });
    await gateway.post('/key/delete', { keys: [key] });
    expect(await opened(secret)).toBe(401);
  });

  it('of another replica is good here until its time is over', async () => {
    const replica = new ClientSecrets(keyOf(new Secret(masterKey), 'realtime client secrets v1'));
    const now = Math.floor(Date.now() / 1_000);
    const lasting = (expiresAt: number) =>
      replica.seal(
        { keyId: 'master_key', expiresAt, session: { model: 'talker' }, isBeta: false },
        keyIdOf(masterKey),
        Buffer.alloc(12, 5).toString('base64url'),
      );
    expect(await opened(lasting(now + 60))).toMatchObject({ type: 'session.created' });
    expect(await opened(lasting(now - 1))).toBe(401);
  });

  it('is nothing where it is foreign or altered, and everywhere else', async () => {
    const secret = await secretOf(await keyWith({}));
    const altered = `${secret.slice(0, 40)}${secret[40] === 'A' ? 'B' : 'A'}${secret.slice(41)}`;
    expect(await opened(altered)).toBe(401);
    expect(await opened('ek_68af296e8e408191a1120ab6383263c2')).toBe(401);
    expect(await opened(secret, '', '/v1/responses')).toBe(401);
    for (const path of ['/v1/chat/completions', '/v1/realtime/client_secrets', '/v1/realtime/calls', '/key/generate']) {
      const answer = await ask(path, secret, { model: 'talker', messages: [] });
      expect([path, answer.status]).toEqual([path, 401]);
      const told = await answer.text();
      expect(told).not.toContain(secret);
      if (path.startsWith('/v1/')) expect(told).toContain('opens realtime sessions');
    }
    expect(sessions).toHaveLength(0);
  });

  it.each([
    ['client_secrets', { session: 'talker' }, 'session: expected an object'],
    ['client_secrets', { model: 'talker' }, 'model: not known here'],
    ['client_secrets', { session: { model: 7 } }, 'session.model: expected the name'],
    ['client_secrets', { session: { type: 'transcription' } }, 'session.audio.input.transcription.model: expected'],
    ['client_secrets', { session: { type: 'other' } }, 'session.type: expected realtime or transcription'],
    ['client_secrets', { expires_after: { seconds: 9 } }, 'expires_after.seconds: expected a whole number'],
    ['client_secrets', { expires_after: { seconds: 7_201 } }, 'from 10 to 7200'],
    ['client_secrets', { expires_after: { anchor: 'now' } }, 'expires_after.anchor: expected created_at'],
    ['sessions', { client_secret: { expires_after: { seconds: 1.5 } } }, 'client_secret.expires_after.seconds'],
    ['transcription_sessions', {}, 'input_audio_transcription.model: expected the name of a model'],
    ['transcription_sessions', { client_secret: { expires_at: { seconds: 1 } } }, 'from 10 to 7200'],
  ])('of %s for %j is refused', async (path, body, message) => {
    const answer = await ask(`/v1/realtime/${path}`, masterKey, body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: { message: string } }).error.message).toContain(message);
  });
});

it('calls by WebRTC are refused with what to use instead', async () => {
  const answer = await ask('/v1/realtime/calls', masterKey, 'v=0\r\n', { 'content-type': 'application/sdp' });
  expect(answer.status).toBe(404);
  expect(((await answer.json()) as { error: { message: string } }).error.message).toContain('client_secrets');
});

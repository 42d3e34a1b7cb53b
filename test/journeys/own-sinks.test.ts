import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collector, startCollector } from '../collector/collector.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* Teams and keys with sinks of their own: their credentials, their content, their silence. */
const teamSecret = 'sk-lf-team-canary-0123456789';
const said = 'The purple elephant sings.';
let upstream: FakeProvider;
let shared: Collector;
let own: Collector;
let elsewhere: Collector;
let ofGreen: Collector;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startFakeProvider();
  shared = await startCollector();
  own = await startCollector();
  elsewhere = await startCollector();
  ofGreen = await startCollector();
  gateway = await startGateway({
    config: `
model_list:
  - model_name: m
    litellm_params: { model: openai/m-1, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0 }
litellm_settings:
  callbacks: [langfuse, webhook]
  turn_off_message_logging: false
  default_team_settings: [{ team_id: green, success_callback: [webhook], endpoint: "${ofGreen.url}/hook" }]
general_settings: { sink_hosts: ["${new URL(own.url).host}"] }
callback_settings: { webhook: { endpoint: "${shared.url}/hook", message_logging: false } }
`,
    env: { LANGFUSE_HOST: shared.url, LANGFUSE_PUBLIC_KEY: 'pk-shared', LANGFUSE_SECRET_KEY: 'sk-shared-0123456789' },
  });
});
afterAll(async () => {
  await gateway?.stop();
  for (const server of [upstream, shared, own, elsewhere, ofGreen]) await server?.close();
});

interface Shown {
  readonly team_id?: string;
  readonly key?: string;
  readonly data?: unknown;
}

const json = async (answer: Promise<Response>): Promise<Shown> => {
  const response = await answer;
  const body = (await response.json()) as Shown;
  expect(response.status, JSON.stringify(body)).toBe(200);
  return body;
};
const team = async (body: object = {}) => (await json(gateway.post('/team/new', body))).team_id as string;
const keyOf = async (body: object) => (await json(gateway.post('/key/generate', body))).key as string;
const ask = async (key: string, more: object = {}, headers: Record<string, string> = {}) => {
  const body = { model: 'm', messages: [{ role: 'user', content: said }], ...more };
  const answer = await gateway.post('/v1/chat/completions', body, key, headers);
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  return answer.headers.get('x-litellm-call-id')!;
};
const hooked = () =>
  shared.calls
    .filter(({ path }) => path === '/hook')
    .flatMap(({ body }) => JSON.parse(body.toString()) as { id: string; messages: unknown }[]);
const traced = (collector: Collector, id: string) =>
  collector.spans.some(({ attributes }) => attributes['tollgate.request_id'] === id);
const vars = (host: string) => ({
  langfuse_public_key: 'pk-team',
  langfuse_secret_key: teamSecret,
  langfuse_host: host,
});

describe('sinks of teams and keys', () => {
  it('take the place of the gateway’s sink of that name', async () => {
    const id = await team();
    const shown = await json(
      gateway.post(`/team/${id}/callback`, { callback_name: 'langfuse', callback_vars: vars(own.url) }),
    );
    expect(shown.data).toMatchObject({
      success_callbacks: ['langfuse'],
      failure_callbacks: ['langfuse'],
      callback_vars: { langfuse_secret_key: '[redacted]', langfuse_host: own.url },
    });
    const request = await ask(await keyOf({ team_id: id }));
    await expect.poll(() => traced(own, request), { timeout: 10_000 }).toBe(true);
    await expect.poll(() => hooked().some((one) => one.id === request), { timeout: 10_000 }).toBe(true);
    expect(traced(shared, request)).toBe(false);
    const credentials = Buffer.from(`pk-team:${teamSecret}`).toString('base64');
    expect(own.calls[0]!.headers.authorization).toBe(`Basic ${credentials}`);
    expect(own.calls.map(({ body }) => body.toString('latin1')).join('')).toContain('purple');
    // The webhook is not to hear what was said.
    expect(hooked().find((one) => one.id === request)!.messages).toBeNull();
  });

  it('keep their credentials sealed wherever a team or key is shown', async () => {
    const id = await team({ metadata: { logging: [{ callback_name: 'langfuse', callback_vars: vars(own.url) }] } });
    const key = await keyOf({ metadata: { logging: [{ callback_name: 'langfuse', callback_vars: vars(own.url) }] } });
    for (const path of [`/team/info?team_id=${id}`, `/team/${id}/callback`, `/key/info?key=${key}`, '/team/list']) {
      const text = await (await gateway.get(path)).text();
      expect(text).not.toContain(teamSecret);
    }
    const request = await ask(key);
    await expect.poll(() => traced(own, request), { timeout: 10_000 }).toBe(true);
    expect(gateway.log()).not.toContain(teamSecret);
  });

  it('lead nowhere that the operator has not allowed', async () => {
    const key = await keyOf({
      metadata: { logging: [{ callback_name: 'langfuse', callback_vars: vars(elsewhere.url) }] },
    });
    await ask(key);
    await expect.poll(() => gateway.log(), { timeout: 5_000 }).toContain('is not among the hosts');
    expect(elsewhere.asked).toBe(0);
  });

  it('are left out when a team, a key or a caller says so', async () => {
    const id = await team();
    await json(gateway.post(`/team/${id}/disable_logging`, {}));
    const key = await keyOf({});
    const silent = [
      await ask(await keyOf({ team_id: id })),
      await ask(key, { 'no-log': true }),
      await ask(key, {}, { 'x-litellm-disable-callbacks': 'langfuse, webhook' }),
    ];
    const quiet = await ask(key, {}, { 'x-litellm-enable-message-redaction': 'true' });
    const off = await ask(await keyOf({ metadata: { turn_off_message_logging: true } }));
    const loud = await ask(key);
    await expect.poll(() => [quiet, off, loud].every((one) => traced(shared, one)), { timeout: 10_000 }).toBe(true);
    for (const request of silent) {
      expect(traced(shared, request)).toBe(false);
      expect(hooked().some((one) => one.id === request)).toBe(false);
    }
    const content = (request: string) =>
      shared.spans.find(({ attributes }) => attributes['tollgate.request_id'] === request)!.attributes[
        'gen_ai.input.messages'
      ];
    expect(content(quiet)).toBeUndefined();
    expect(content(off)).toBeUndefined();
    expect(content(loud)).toContain('purple');
  });
});

describe('a team that the configuration names', () => {
  it('has its sinks from there, without more said', async () => {
    const id = await team({ team_id: 'green' });
    const request = await ask(await keyOf({ team_id: id }));
    const told = () => ofGreen.calls.map(({ body }) => String(body)).join('');
    await expect.poll(told, { timeout: 10_000 }).toContain(request);
    expect(JSON.stringify(hooked())).not.toContain(request);
  });
});

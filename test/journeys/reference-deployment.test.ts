import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * The set-up that a team runs today with another gateway: its configuration as written, its environment less the database
 * and Redis, its three smoke-test calls, and the failure it bought a gateway for.
 */
const written = readFileSync(join(import.meta.dirname, 'support/reference-config.yaml'), 'utf8');

let vllm: FakeProvider;
let cloud: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  vllm = await startFakeProvider();
  cloud = await startFakeProvider();
  gateway = await startGateway({
    config: written.replace('VLLM_HOST:8000', new URL(vllm.url).host),
    env: {
      TOLLGATE_MASTER_KEY: '',
      LITELLM_MASTER_KEY: masterKey,
      OPENAI_API_KEY: 'sk-upstream-canary',
      OPENAI_API_BASE: `${cloud.url}/v1`,
    },
  });
});

afterAll(async () => {
  await gateway?.stop();
  await vllm?.close();
  await cloud?.close();
});

const hello = (model: string) => ({ model, messages: [{ role: 'user', content: 'Hello' }] });

describe('the reference deployment', () => {
  it('starts with the configuration as it is written and says what is not there', () => {
    expect(gateway.log()).toMatch(/REDIS_PASSWORD|redis/i);
    expect(gateway.log()).toMatch(/DATABASE_URL/);
    expect(gateway.log()).not.toContain('sk-upstream-canary');
    expect(gateway.log()).not.toContain(masterKey);
  });

  it('answers /health without a key: per-model status, no address, no key', async () => {
    const answer = await fetch(`${gateway.url}/health`);
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toContain('llama-4-scout');
    expect(text).toContain('gpt-4o-mini');
    expect(text).not.toContain('127.0.0.1');
    expect(text).not.toContain('sk-');
  });

  it.each(['llama-4-scout', 'gpt-4o-mini'])('answers the smoke test for %s', async (model) => {
    const answer = await gateway.post('/v1/chat/completions', hello(model));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ object: 'chat.completion', model });
  });

  it('sends each upstream its own model name and key, and nothing of ours', () => {
    const toVllm = vllm.requests.find((request) => request.path.endsWith('/chat/completions'));
    const toCloud = cloud.requests.find((request) => request.path.endsWith('/chat/completions'));
    expect(toVllm?.json).toMatchObject({ model: 'meta-llama/Llama-4-Scout-17B-16E-Instruct' });
    expect(toVllm?.headers.authorization).toBe('Bearer dummy-key');
    expect(toCloud?.json).toMatchObject({ model: 'gpt-4o-mini' });
    expect(toCloud?.headers.authorization).toBe('Bearer sk-upstream-canary');
    expect(JSON.stringify([toVllm?.headers, toCloud?.headers])).not.toContain(masterKey);
  });

  it('fails over without a client noticing when the first upstream dies under load', async () => {
    const until = Date.now() + 3_000;
    const statuses = new Map<number, number>();
    const models = new Set<string>();
    const client = async (number: number) => {
      for (let turn = 0; Date.now() < until; turn++) {
        const answer = await gateway.post('/v1/chat/completions', {
          ...hello('llama-4-scout'),
          messages: [{ role: 'user', content: `Question ${number}.${turn}` }],
        });
        const body = (await answer.json()) as { model?: string };
        models.add(String(body.model));
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 16 }, (_, number) => client(number));
    await new Promise((done) => setTimeout(done, 1_000));
    await vllm.close();
    await Promise.all(clients);
    expect([...statuses.keys()]).toEqual([200]);
    expect(models).toEqual(new Set(['llama-4-scout', 'gpt-4o-mini']));
  });

  it('then shows the first model as unhealthy with the reason, to who holds the master key', async () => {
    const answer = await gateway.get('/health');
    const health = (await answer.json()) as { unhealthy_endpoints: { model: string; error: string }[] };
    expect(health.unhealthy_endpoints).toMatchObject([{ error: expect.stringMatching(/connect|refused/i) }]);
  });
});

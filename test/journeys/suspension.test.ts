import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { freshDatabase, type TestDatabase } from '../servers/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* A provider that answers at greater length than it was allowed: what it serves cannot be kept within a hard budget. */

let honest: FakeProvider;
let liar: FakeProvider;
let database: TestDatabase;
const running: GatewayProcess[] = [];

beforeAll(async () => {
  [honest, liar, database] = await Promise.all([startFakeProvider(), startFakeProvider(), freshDatabase()]);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()));
});
afterAll(async () => {
  await Promise.all([honest?.close(), liar?.close(), database?.drop()]);
});

const usage = (outputTokens: number) => ({ usage: { inputTokens: 3, outputTokens } });

async function start(): Promise<GatewayProcess> {
  const entry = (group: string, id: string, upstream: FakeProvider) => `
  - model_name: ${group}
    litellm_params: { model: openai/${id}, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.001 }
    model_info: { id: ${id} }`;
  const gateway = await startGateway({
    env: { DATABASE_URL: database.url },
    config: `
model_list:${entry('alone', 'lies', liar)}${entry('two', 'lies-too', liar)}${entry('two', 'keeps-to-it', honest)}
router_settings: { num_retries: 0 }
general_settings: { database_url: os.environ/DATABASE_URL, drain_timeout_seconds: 1 }
`,
  });
  running.push(gateway);
  return gateway;
}

async function makeKey(on: GatewayProcess, body: object): Promise<string> {
  return on.makeKey(body);
}

async function ask(
  on: GatewayProcess,
  key: string,
  model: string,
): Promise<{ status: number; text: string; by: string | null }> {
  const body = { model, max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] };
  const answer = await on.post('/v1/chat/completions', body, key);
  return { status: answer.status, text: await answer.text(), by: answer.headers.get('x-litellm-model-id') };
}

interface Shown {
  readonly deployments: readonly { id: string; suspended: { bound: number; cost: number } | null }[];
}

async function suspendedOn(on: GatewayProcess): Promise<string[]> {
  const shown = (await (await on.get('/health/deployments')).json()) as Shown;
  return shown.deployments.filter(({ suspended }) => suspended !== null).map(({ id }) => id);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + 10_000;
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error(`not so: ${isSo}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

it('suspends a deployment that broke a bound for hard budgets, on every replica, until it is resumed', async () => {
  const [one, other] = await Promise.all([start(), start()]);
  const hard = await makeKey(one!, { max_budget: 100 });
  const open = await makeKey(one!, {});
  honest.setDefault(usage(5));
  liar.setDefault(usage(50));

  expect(await ask(one!, hard, 'alone')).toMatchObject({ status: 200 });
  await until(async () => (await suspendedOn(one!)).includes('lies'));
  const refused = await ask(one!, hard, 'alone');
  expect(refused.status).toBe(400);
  expect(refused.text).toMatch(/hard budget, and model=alone is suspended/);
  await until(async () => (await suspendedOn(other!)).includes('lies'));
  expect((await ask(other!, hard, 'alone')).status).toBe(400);
  // Who has no hard budget goes on; what it cost was recorded in full.
  expect((await ask(other!, open, 'alone')).status).toBe(200);
  expect(one!.log()).toMatch(/is suspended for callers with a hard budget/);
  expect(one!.log()).toMatch(/deployment_suspended/);

  // Where somebody else serves the model, it is served by them.
  for (let turn = 0; turn < 12 && !(await suspendedOn(one!)).includes('lies-too'); turn++) await ask(one!, hard, 'two');
  await until(async () => (await suspendedOn(one!)).includes('lies-too'));
  for (let turn = 0; turn < 6; turn++)
    expect(await ask(one!, hard, 'two')).toMatchObject({ status: 200, by: 'keeps-to-it' });

  // It outlives the programs, and ends when somebody who may says so.
  const again = await start();
  expect((await ask(again, hard, 'alone')).status).toBe(400);
  const byKey = await again.post('/model/resume', { id: 'lies' }, hard);
  expect([401, 403]).toContain(byKey.status);
  liar.setDefault(usage(5));
  expect((await again.post('/model/resume', { id: 'lies' })).status).toBe(200);
  expect((await again.post('/model/resume', { id: 'lies' })).status).toBe(404);
  await until(async () => (await ask(other!, hard, 'alone')).status === 200);
  expect(await ask(again, hard, 'alone')).toMatchObject({ status: 200 });
  expect(await suspendedOn(again)).toEqual(['lies-too']);
  const audit = await (await again.get('/audit')).text();
  expect(audit).toContain('suspended:lies');
}, 60_000);

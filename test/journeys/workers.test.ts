import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* Three workers on one port over the embedded database. */
let upstream: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startFakeProvider({ default: { text: 'word '.repeat(500) } });
  gateway = await startGateway({
    args: ['--num_workers', '3'],
    config: `
model_list:
  - model_name: m
    litellm_params: { model: openai/m, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.05 }
`,
  });
});

afterAll(async () => {
  await gateway?.kill();
  await upstream?.close();
});

function workerIds(): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(gateway.child.pid)], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/).filter(Boolean).map(Number);
}

async function buy(key: string): Promise<number> {
  const answer = await gateway.post(
    '/v1/chat/completions',
    { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Go on' }] },
    key,
    { connection: 'close' },
  );
  await answer.text();
  return answer.status;
}

it('share the port and a budget, say what they do not share, and replace one that dies', async () => {
  expect(gateway.log()).toContain('no Redis is configured: each of the 3 workers');
  const before = workerIds();
  expect(before).toHaveLength(3);

  const made = await gateway.post('/key/generate', { max_budget: 6 });
  const { key } = (await made.json()) as { key: string };
  let sold = 0;
  const client = async () => {
    while ((await buy(key)) === 200) sold += 1;
  };
  await Promise.all(Array.from({ length: 4 }, client));
  expect(sold).toBe(12);

  process.kill(before[0]!, 'SIGKILL');
  await expect.poll(workerIds, { timeout: 20_000 }).not.toContain(before[0]);
  await expect.poll(() => workerIds().length, { timeout: 20_000 }).toBe(3);
  expect((await gateway.get('/v1/models')).status).toBe(200);

  gateway.child.kill('SIGTERM');
  const code = await new Promise((done) => gateway.child.once('exit', done));
  expect(code).toBe(0);
  expect(workerIds()).toEqual([]);
}, 120_000);

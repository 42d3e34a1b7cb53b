import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFakeProvider } from '../fake-provider/index.ts';
import { startGateway } from './support/gateway-process.ts';

it('an answer kept on disk is given again after a restart, and costs nothing', async () => {
  const fake = await startFakeProvider();
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-answers-'));
  const config = `
model_list:
  - model_name: m
    litellm_params: { model: openai/m, api_base: "${fake.url}/v1", api_key: none, input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 }
litellm_settings: { cache: true, cache_params: { type: disk, disk_cache_dir: "${folder}", ttl: 600 } }
`;
  const ask = async (gateway: Awaited<ReturnType<typeof startGateway>>) => {
    const response = await gateway.post('/v1/chat/completions', {
      model: 'm',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    return [response.headers.get('x-litellm-response-cost'), ((await response.json()) as { id: string }).id];
  };
  try {
    const first = await startGateway({ config });
    const [cost, id] = await ask(first).finally(() => first.stop());
    expect(Number(cost)).toBeGreaterThan(0);
    const second = await startGateway({ config });
    try {
      expect(await ask(second)).toEqual(['0.0', id]);
      expect(fake.requests).toHaveLength(1);
      expect((await second.post('/cache/flushall', {})).status).toBe(200);
      expect(Number((await ask(second))[0])).toBeGreaterThan(0);
      expect((await (await second.get('/cache/ping')).json()) as object).toMatchObject({ cache_type: 'disk' });
    } finally {
      await second.stop();
    }
  } finally {
    await fake.close();
  }
});

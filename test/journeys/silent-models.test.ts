import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeProvider, hang, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';

/* `silent_model`: what one deployment answered is asked of another group too, and nobody waits for it. */

let primary: FakeProvider;
let silent: FakeProvider;
let rig: GatewayRig;

beforeEach(async () => {
  [primary, silent] = await Promise.all([startFakeProvider(), startFakeProvider()]);
  rig = await startGatewayRig(`model_list:
  - model_name: m
    litellm_params: { model: openai/one, api_base: "${primary.url}/v1", api_key: sk-1, silent_model: candidate }
  - model_name: candidate
    litellm_params: { model: openai/two, api_base: "${silent.url}/v1", api_key: sk-2, silent_model: m }
router_settings: { num_retries: 0 }
`);
});
afterEach(async () => {
  await rig.close();
  await Promise.all([primary.close(), silent.close()]);
});

test('the silent model is asked the same, behind the answer, once, and both are on record', async () => {
  silent.setDefault({ delayBeforeHeadersMs: 300 });
  const startedAt = performance.now();
  const answer = await rig.chat({ temperature: 0.5, user: 'ann', metadata: { tags: ['paying'] } });
  expect(answer.status).toBe(200);
  await answer.json();
  expect(performance.now() - startedAt).toBeLessThan(250);
  const [own, mirrored] = (await rig.recorded(2)) as [never, never] as (typeof rig.records)[number][];
  expect(own).toMatchObject({ modelGroup: 'm', endUserId: 'ann', tags: ['paying'] });
  expect(mirrored).toMatchObject({
    modelGroup: 'candidate',
    status: 'success',
    keyId: 'master_key',
    endUserId: null,
    tags: ['silent-model'],
    metadata: { spend_logs_metadata: { is_silent_experiment: true, mirrors: own!.id } },
  });
  expect(mirrored!.usage.outputTokens).toBeGreaterThan(0);
  expect(silent.requests[0]!.json).toEqual({
    model: 'two',
    messages: [{ role: 'user', content: 'Hello' }],
    temperature: 0.5,
  });
  // The candidate mirrors to the first in turn, but not what is a mirror itself.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(primary.requests).toHaveLength(1);
});

test('a stream is mirrored as a stream and read to its end', async () => {
  await (await rig.chat({ stream: true })).text();
  const records = await rig.recorded(2);
  expect(silent.requests[0]!.json).toMatchObject({ stream: true });
  expect(records[1]).toMatchObject({ modelGroup: 'candidate', status: 'success', stream: true });
  expect(records[1]!.firstTokenAt).not.toBeNull();
});

test('another format is mirrored in that format, without credentials of the caller', async () => {
  const body = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], metadata: { user_id: 'ann' } };
  await (await rig.post('/v1/messages', body)).json();
  expect(await rig.recorded(2)).toMatchObject([{ endUserId: 'ann' }, { modelGroup: 'candidate', endUserId: null }]);
  expect(silent.requests[0]!.headers.authorization).toBe('Bearer sk-2');
});

test('what failed, what the cache knew and what is no conversation are not mirrored', async () => {
  primary.setDefault(serverError(500));
  expect((await rig.chat()).status).toBe(500);
  primary.setDefault({});
  await (await rig.post('/v1/embeddings', { model: 'm', input: 'x' })).text();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(silent.requests).toHaveLength(0);
});

test('a silent model that fails, or breaks off, changes nothing for the caller', async () => {
  silent.setDefault(serverError(503));
  expect((await rig.chat()).status).toBe(200);
  const records = await rig.recorded(2);
  expect(records.map(({ status }) => status)).toEqual(['success', 'failure']);
});

test('no more than a hundred run at a time; how many were left out is logged', async () => {
  silent.setDefault(hang());
  await Promise.all(Array.from({ length: 120 }, async () => (await rig.chat()).text()));
  while (silent.requests.length < 100) await new Promise((resolve) => setTimeout(resolve, 5));
  await silent.down();
  await rig.recorded(220);
  expect(silent.requests).toHaveLength(100);
  await (await rig.chat()).text();
  await rig.recorded(222);
  expect(rig.logged.filter((line) => line.includes('silent'))).toEqual([
    'silent requests were left out: 100 were running {"count":20}',
  ]);
});

test('a gateway that stops calls them off, and what they cost is settled', async () => {
  silent.setDefault({ delayBeforeHeadersMs: 5_000 });
  await (await rig.chat()).text();
  while (silent.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await rig.gateway.background.close();
  expect((await rig.recorded(2))[1]).toMatchObject({ modelGroup: 'candidate', status: 'aborted' });
});

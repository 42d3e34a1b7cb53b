import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeProvider, serverError, startFakeProvider } from '../../test/fake-provider/index.ts';
import { type MediaServer, startMediaServer } from '../../test/fake-provider/media-server.ts';
import { type GatewayRig, masterKey, startGatewayRig } from '../../test/journeys/gateway-rig.ts';
import { Secret } from '../core/secret.ts';
import { probe } from './probe.ts';

let fake: FakeProvider;
let media: MediaServer;
let rig: GatewayRig;

beforeAll(async () => {
  fake = await startFakeProvider();
  media = await startMediaServer();
  const model = (id: string, mode: string, more = '', at = `${fake.url}/v1`) =>
    `  - { model_name: ${id}, litellm_params: { model: openai/up, api_base: "${at}", api_key: sk-1 }, model_info: { id: ${id}, mode: ${mode}${more} } }`;
  rig = await startGatewayRig(`model_list:
${model('chat', 'chat')}
${model('embedding', 'embedding')}
${model('moderation', 'moderation')}
${model('speech', 'audio_speech', ', health_check_voice: nova', media.url)}
${model('image', 'image_generation', '', media.url)}
${model('transcription', 'audio_transcription')}
${model('realtime', 'realtime')}
  - { model_name: rerank, litellm_params: { model: cohere/up, api_base: "${fake.url}", api_key: sk-1 }, model_info: { id: rerank, mode: rerank } }
  - { model_name: "any/*", litellm_params: { model: "openai/*", api_base: "${fake.url}/v1", api_key: sk-1 }, model_info: { id: any } }
`);
});
afterAll(async () => {
  await rig.close();
  await Promise.all([fake.close(), media.close()]);
});

const check = (id: string) => probe(rig.gateway, rig.snapshot.deployments.get(id)!, new Secret(masterKey));

test.each([
  ['chat', '/v1/chat/completions', { max_tokens: 5 }],
  ['embedding', '/v1/embeddings', { input: 'test' }],
  ['moderation', '/v1/moderations', { input: 'test' }],
  ['rerank', '/v2/rerank', { query: 'test', documents: ['test'] }],
])('%s is asked what it is for', async (id, path, body) => {
  expect(await check(id)).toMatchObject({ healthy: true, asked: true, error: null, status: 200 });
  expect(fake.requests.at(-1)).toMatchObject({ path, json: body });
});

test.each([
  ['speech', { type: 'audio/mpeg', chunks: ['so', 'und'] }, { path: '/audio/speech', body: { voice: 'nova' } }],
  ['image', { chunks: ['{"created":1,"data":[{}]}'] }, { path: '/images/generations', body: { prompt: 'test' } }],
])('%s is asked what it is for, and its answer read to the end', async (id, answer, { path, body }) => {
  media.answers = [answer];
  expect(await check(id)).toMatchObject({ healthy: true, asked: true, error: null, status: 200 });
  const sent = media.requests.at(-1)!;
  expect([sent.path, JSON.parse(sent.body.toString())]).toMatchObject([path, body]);
  expect(rig.records.at(-1)).toMatchObject({ status: 'success', tags: ['health-check'] });
});

test('what fails says why', async () => {
  fake.setDefault(serverError(503));
  expect(await check('chat')).toMatchObject({ healthy: false, asked: true, status: 503 });
  fake.setDefault({});
  media.answers = [{ status: 500, chunks: ['{"error":{"message":"no voice"}}'] }];
  const told = await check('speech');
  expect(told).toMatchObject({ healthy: false, asked: true, status: 500 });
  expect(told.error).toContain('no voice');
});

test.each(['transcription', 'realtime', 'any'])('%s is not asked, and says so', async (id) => {
  const before = fake.requests.length;
  const told = await check(id);
  expect(told).toMatchObject({ healthy: false, asked: false, status: null });
  expect(told.error).toContain('not checked');
  expect(fake.requests).toHaveLength(before);
});

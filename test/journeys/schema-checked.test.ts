import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/* enable_json_schema_validation: what was bought and does not fit is an error, paid for and on record as such. */
let fake: FakeProvider;
let rig: GatewayRig;
const price = { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 };
const config = (isOn: boolean) => `model_list:
${deployment('m', fake.url, 'openai/some-model', price)}
litellm_settings: {enable_json_schema_validation: ${isOn}}
`;

beforeEach(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(config(true));
});
afterEach(async () => {
  await rig.close();
  await fake.close();
});

const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const wish = { response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } } };

test('an answer that fits passes; one that does not is an error that says where, and costs what it costs', async () => {
  fake.enqueue({ text: '{"city": "Graz"}' }, { text: '{"city": 7}' }, { text: 'no JSON at all' });
  expect((await rig.chat(wish)).status).toBe(200);
  const misfit = await rig.chat(wish);
  expect(misfit.status).toBe(500);
  expect(await misfit.text()).toContain(
    'does not fit the JSON schema asked for: $.city: expected string, found number.',
  );
  expect(await (await rig.chat(wish)).text()).toContain('it is no JSON');
  const [, second] = await rig.recorded(3);
  expect(second).toMatchObject({ status: 'failure', errorCode: 'upstream_connection' });
  expect(second?.cost).toBeGreaterThan(0);
  expect(fake.requests).toHaveLength(3);
});

test('what asks for no schema is not looked at, nor what calls a tool, nor a stream', async () => {
  fake.enqueue({ text: 'plain' }, { text: 'plain', toolCalls: [{ name: 'f', arguments: '{}' }] }, { text: 'plain' });
  expect((await rig.chat()).status).toBe(200);
  const tools = [{ type: 'function', function: { name: 'f' } }];
  expect((await rig.chat({ ...wish, tools })).status).toBe(200);
  expect(await (await rig.chat({ ...wish, stream: true })).text()).toContain('[DONE]');
});

test('nothing is checked where that is not wished', async () => {
  await rig.close();
  rig = await startGatewayRig(config(false));
  fake.enqueue({ text: 'no JSON at all' });
  expect((await rig.chat(wish)).status).toBe(200);
});

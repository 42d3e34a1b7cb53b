import { afterEach, beforeEach, expect, it } from 'vitest';
import { Shelf } from '../../src/gateway/kept/shelf.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/* Work in the background whose receipt cannot be kept is never begun. */
let fake: FakeProvider;
let rig: GatewayRig;

beforeEach(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(`model_list:
${deployment('m', fake.url, 'openai/some-model', { input_cost_per_token: 0.001, output_cost_per_token: 0.001 })}
`);
  const away = () => Promise.reject(new Error('the store is away'));
  const objects = { put: away, get: away, children: away, remove: away, removeExpired: away };
  Object.assign(rig.gateway, { kept: new Shelf(objects, rig.gateway.clock) });
});
afterEach(async () => {
  await rig.close();
  await fake.close();
});

it('is refused for now, and costs nothing', async () => {
  const answer = await rig.post('/v1/responses', { model: 'm', input: 'Hello', background: true });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  const [row] = await rig.recorded(1);
  expect(row).toMatchObject({ status: 'denied', errorCode: 'budget_store_unavailable', cost: 0 });
  expect(fake.requests).toEqual([]);
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

let fake: FakeProvider;
let rig: GatewayRig;

beforeEach(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(`model_list:\n${deployment('m', fake.url, 'openai/some-model')}\n`);
});
afterEach(async () => {
  await rig.close();
  await fake.close();
});

test('nothing is sent that could not be put on record', async () => {
  rig.ledger.dispatched = () => {
    throw new GatewayError('budget_store_unavailable', 'The journal cannot be written.');
  };
  const response = await rig.chat();
  expect(response.status).toBe(503);
  expect(fake.requests).toHaveLength(0);
});

test('nothing is sent while it is being put on record', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.ledger.dispatched = () => promise;
  const response = rig.chat();
  await new Promise((passed) => setTimeout(passed, 100));
  expect(fake.requests).toHaveLength(0);
  resolve();
  expect((await response).status).toBe(200);
  expect(fake.requests).toHaveLength(1);
});

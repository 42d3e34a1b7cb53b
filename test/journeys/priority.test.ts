import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeProvider, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/* A request with a priority waits for a deployment that rests; one without is told to come again. */
let fake: FakeProvider;
let rig: GatewayRig;
const config = (router: string) => `model_list:
${deployment('m', fake.url, 'openai/some-model', {})}
router_settings: {num_retries: 0, allowed_fails: 0, cooldown_time: 0.6${router}}
`;

beforeEach(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(config(''));
});
afterEach(async () => {
  await rig.close();
  await fake.close();
});

async function putToRest(): Promise<void> {
  fake.enqueue(serverError(500));
  expect((await rig.chat()).status).toBe(500);
  expect((await rig.chat()).status).toBe(429);
}

test('with a priority it waits, the lowest number first', async () => {
  await putToRest();
  const asked = (priority: number) =>
    rig.chat({ priority, messages: [{ role: 'user', content: `number ${priority}` }] });
  const answers = await Promise.all([asked(10), asked(-1), asked(3)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const said = fake.requests.slice(1).map(({ body }) => body.toString().match(/number (-?\d+)/)?.[1]);
  expect(said).toEqual(['-1', '3', '10']);
  expect(fake.requests.at(-1)?.body.toString()).not.toContain('priority');
});

test('it waits no longer than its timeout, and only a number is one', async () => {
  await putToRest();
  const impatient = await rig.chat({ priority: 1, timeout: 0.1 });
  expect(impatient.status).toBe(429);
  const odd = await rig.chat({ priority: 'high' });
  expect([odd.status, await odd.text()]).toEqual([400, expect.stringContaining('priority: expected a number')]);
});

test('default_priority is that of requests that name none', async () => {
  await rig.close();
  rig = await startGatewayRig(config(', default_priority: 5, polling_interval: 0.01'));
  fake.enqueue(serverError(500));
  expect((await rig.chat()).status).toBe(500);
  expect((await rig.chat()).status).toBe(200);
});

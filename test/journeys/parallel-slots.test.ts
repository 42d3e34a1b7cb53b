import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeProvider, hang, serverError, startFakeProvider } from '../fake-provider/index.ts';
import type { RecordedRequest } from '../fake-provider/record.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/* `max_parallel_requests` of a deployment: so many at once, never more; who comes then waits. */

let fake: FakeProvider;
let other: FakeProvider;
let rig: GatewayRig | undefined;

beforeEach(async () => {
  [fake, other] = await Promise.all([startFakeProvider(), startFakeProvider()]);
});
afterEach(async () => {
  await rig?.close();
  await Promise.all([fake.close(), other.close()]);
});

async function withMax(max: number, router = ''): Promise<GatewayRig> {
  rig = await startGatewayRig(`model_list:
${deployment('m', fake.url, 'openai/some-model', { max_parallel_requests: max })}
${deployment('spare', other.url, 'openai/spare-model')}
router_settings: {num_retries: 0${router}}
`);
  return rig;
}

/** The most that were being answered at one time. */
function mostAtOnce(requests: readonly RecordedRequest[]): number {
  const moments = requests.flatMap(({ receivedAtMs, finishedAtMs, abortedAtMs }) => [
    { at: receivedAtMs, change: 1 },
    { at: finishedAtMs ?? abortedAtMs ?? Number.POSITIVE_INFINITY, change: -1 },
  ]);
  moments.sort((one, next) => one.at - next.at || one.change - next.change);
  let now = 0;
  return Math.max(...moments.map(({ change }) => (now += change)));
}

test('a burst is answered in full, two at a time, in the order in which it came', async () => {
  const { chat } = await withMax(2);
  fake.setDefault({ delayBeforeHeadersMs: 60 });
  const answers = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      // Each is on its way before the next.
      await new Promise((resolve) => setTimeout(resolve, index * 12));
      const response = await chat({
        stream: index % 3 === 0,
        messages: [{ role: 'user', content: `number ${index}` }],
      });
      return [response.status, (await response.text()).length > 0];
    }),
  );
  expect(answers).toEqual(Array.from({ length: 12 }, () => [200, true]));
  expect(mostAtOnce(fake.requests)).toBe(2);
  // Two that leave together may arrive in either order.
  const order = fake.requests.map(({ body }) => Number(/number (\d+)/.exec(body.toString())?.[1]));
  for (let index = 2; index < 12; index++) expect(order.indexOf(index)).toBeGreaterThan(order.indexOf(index - 2));
});

test('what fails, and who leaves while waiting or being answered, keeps no slot', async () => {
  const { chat } = await withMax(1, ', allowed_fails: 1000');
  fake.enqueue(serverError(500));
  expect((await chat()).status).toBe(500);
  fake.enqueue(hang());
  const leaving = new AbortController();
  const left = [chat({}, { signal: leaving.signal }), chat({ stream: true }, { signal: leaving.signal })];
  while (fake.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  leaving.abort();
  await Promise.allSettled(left);
  const { status } = await chat();
  expect(status).toBe(200);
  expect(fake.requests).toHaveLength(3);
});

test('whoever waits in vain goes to the fallback, or is told when to come again', async () => {
  const { chat } = await withMax(1, ', fallbacks: [{"m": ["spare"]}]');
  fake.enqueue(hang());
  const first = new AbortController();
  const held = chat({}, { signal: first.signal }).catch(() => null);
  while (fake.requests.length < 1) await new Promise((resolve) => setTimeout(resolve, 2));
  const patient = await chat({ timeout: 0.2 });
  expect([patient.status, other.requests.length]).toEqual([200, 1]);
  await patient.text();
  const alone = await chat({ timeout: 0.2, disable_fallbacks: true });
  expect([alone.status, alone.headers.get('retry-after')]).toEqual([429, '1']);
  first.abort();
  await held;
});

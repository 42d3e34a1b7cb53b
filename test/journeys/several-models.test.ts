import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeProvider, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

let quick: FakeProvider;
let slow: FakeProvider;
let rig: GatewayRig;

beforeEach(async () => {
  quick = await startFakeProvider();
  slow = await startFakeProvider();
  slow.setDefault({ delayBeforeHeadersMs: 1_500 });
  rig = await startGatewayRig(`model_list:
${deployment('slow', slow.url, 'openai/slow-model')}
${deployment('quick', quick.url, 'openai/quick-model')}
${deployment('one,name', quick.url, 'openai/odd-model')}
router_settings:
  num_retries: 0
`);
});
afterEach(async () => {
  await rig.close();
  await quick.close();
  await slow.close();
});

interface Answer {
  readonly model?: string;
  readonly choices?: unknown[];
  readonly error?: { readonly message: string; readonly code: string };
}

test('a list of models answers with a list, in its order, and each request is on record by itself', async () => {
  slow.setDefault({ delayBeforeHeadersMs: 100 });
  const response = await rig.chat({ model: 'slow, quick' });
  expect(response.status).toBe(200);
  const answers = (await response.json()) as Answer[];
  expect(answers.map(({ model }) => model)).toEqual(['slow', 'quick']);
  expect(answers.every(({ choices }) => choices?.length === 1)).toBe(true);
  const records = await rig.recorded(2);
  expect(records.map(({ modelGroup }) => modelGroup).sort()).toEqual(['quick', 'slow']);
  expect(new Set(records.map(({ id }) => id)).size).toBe(2);
});

test('what fails stands in its place; only when all fail is the answer an error', async () => {
  slow.setDefault(serverError(503));
  const some = await rig.chat({ model: 'slow,quick,nowhere' });
  expect(some.status).toBe(200);
  const answers = (await some.json()) as Answer[];
  expect(answers.map(({ error }) => error?.code)).toEqual(['503', undefined, '400']);
  expect(answers[2]!.error!.message).toContain('Invalid model name passed in model=nowhere');

  quick.setDefault(serverError(500));
  const none = await rig.chat({ model: 'slow,quick' });
  expect(none.status).toBe(503);
  expect(((await none.json()) as Answer).error!.code).toBe('503');
});

test.each([false, true])('the fastest response wins and the others are called off (stream: %s)', async (stream) => {
  const startedAt = performance.now();
  const response = await rig.chat({ model: 'slow,quick', fastest_response: true, stream });
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(text).toContain('"quick"');
  expect(response.headers.get('x-litellm-fastest_response_batch_completion')).toBe('true');
  const records = await rig.recorded(2);
  expect(records.map(({ status }) => status).sort()).toEqual(['aborted', 'success']);
  expect(JSON.stringify(quick.requests.map(({ body }) => body))).not.toContain('fastest_response');
});

test('a client that leaves ends all of them', async () => {
  quick.setDefault({ delayBeforeHeadersMs: 5_000 });
  slow.setDefault({ delayBeforeHeadersMs: 5_000 });
  const away = AbortSignal.timeout(200);
  await expect(rig.chat({ model: 'slow,quick' }, { signal: away })).rejects.toThrow();
  const records = await rig.recorded(2);
  expect(records.map(({ status }) => status)).toEqual(['aborted', 'aborted']);
});

test('bad lists are refused in words; a group with such a name stands for itself', async () => {
  const refusal = async (changes: Record<string, unknown>) => {
    const response = await rig.chat(changes);
    return [response.status, ((await response.json()) as Answer).error!.message];
  };
  expect(await refusal({ model: 'slow,quick', stream: true })).toEqual([400, expect.stringMatching(/^stream: /)]);
  expect(await refusal({ model: 'quick,' })).toEqual([400, expect.stringMatching(/^model: a list of models/)]);
  expect(await refusal({ model: 'quick,quick' })).toEqual([400, expect.stringMatching(/different ones/)]);
  const odd = await rig.chat({ model: 'one,name' });
  expect(((await odd.json()) as Answer).model).toBe('one,name');
  const byPath = await rig.post('/engines/slow,quick/chat/completions', {
    fastest_response: true,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  expect(((await byPath.json()) as Answer).model).toBe('quick');
});

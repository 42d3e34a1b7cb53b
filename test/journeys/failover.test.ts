import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  contextWindowExceeded,
  emptyBody,
  type FakeProvider,
  finishAt,
  garbageJson,
  hang,
  htmlErrorPage,
  rateLimited,
  resetAt,
  type Script,
  serverError,
  stallAt,
  startFakeProvider,
} from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

let primary: FakeProvider;
let second: FakeProvider;
let rig: GatewayRig | undefined;

beforeEach(async () => {
  primary = await startFakeProvider();
  second = await startFakeProvider();
});
afterEach(async () => {
  await rig?.close();
  rig = undefined;
  await primary.close();
  await second.close();
});

/** Group `m` on the first provider, falling back to group `spare` on the second. */
async function withFallback(settings = '', retries = 0): Promise<GatewayRig> {
  rig = await startGatewayRig(`model_list:
${deployment('m', primary.url, 'openai/first-model', { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 })}
${deployment('spare', second.url, 'openai/spare-model', { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 })}
router_settings:
  num_retries: ${retries}
  fallbacks: [{"m": ["spare"]}]
${settings}
`);
  return rig;
}

/** One group `m` on both providers. */
async function withTwoDeployments(settings = ''): Promise<GatewayRig> {
  rig = await startGatewayRig(`model_list:
${deployment('m', primary.url, 'openai/first-model', { order: 1 })}
${deployment('m', second.url, 'openai/second-model', { order: 2 })}
router_settings:
  num_retries: 1
${settings}
`);
  return rig;
}

describe('the only deployment of a group fails, with the retries of the format', () => {
  test.each([
    ['refuses connections', null],
    ['answers 503', serverError(503)],
    ['answers 503 and asks for a minute', { ...serverError(503), headers: { 'retry-after': '60' } }],
    // A machine that stands still for a moment may try again; what waits, waits every time.
  ])('a primary that %s costs no waiting', { retry: 2 }, async (_name, script) => {
    const { chat, recorded } = await withFallback('', 2);
    if (script === null) await primary.down();
    else primary.setDefault(script);
    const startedAt = performance.now();
    const response = await chat();
    expect(response.status).toBe(200);
    await response.text();
    expect(performance.now() - startedAt).toBeLessThan(400);
    const [record] = await recorded(1);
    expect(record?.attempts.at(-1)?.group).toBe('spare');
  });
});

test('a long conversation comes whole to whoever takes over, in its own words', async () => {
  const text = 'A "long" story, told in lines.\n'.repeat(5_000);
  rig = await startGatewayRig(`model_list:
${deployment('m', primary.url, 'openai/first-model')}
${deployment('spare', second.url, 'anthropic/spare-model')}
router_settings:
  num_retries: 0
  fallbacks: [{"m": ["spare"]}]
`);
  primary.setDefault(serverError(503));
  const response = await rig.chat({ messages: [{ role: 'user', content: text }], temperature: 0.5 });
  expect(response.status).toBe(200);
  await response.text();
  const [first] = primary.requests;
  expect(first?.json).toEqual({ model: 'first-model', messages: [{ role: 'user', content: text }], temperature: 0.5 });
  const [taken] = second.requests;
  expect(taken?.json).toMatchObject({ model: 'spare-model', temperature: 0.5 });
  expect(JSON.stringify(taken?.json)).toContain(JSON.stringify(text).slice(1, -1));
});

const failures: readonly (readonly [name: string, script: Script, ambiguous: boolean])[] = [
  ['answers 500', serverError(500), false],
  ['answers 503', serverError(503), false],
  ['answers 429', rateLimited(30), false],
  ['answers 401', { status: 401, error: { message: 'Incorrect API key provided' } }, false],
  ['answers 404', { status: 404, error: { message: 'no such model' } }, false],
  ['answers an HTML page', htmlErrorPage(502), false],
  ['answers an HTML page with 200', { ...htmlErrorPage(200) }, true],
  ['answers garbage', garbageJson(), true],
  ['answers nothing', emptyBody(), true],
  ['resets before the headers', resetAt('before-headers'), true],
  ['resets inside the answer', resetAt({ byte: 30 }), true],
  ['closes inside the answer', finishAt({ byte: 30 }), true],
  ['announces more than it sends', { contentLength: 99_999, fin: { byte: 40 } }, true],
  ['never answers', hang(), true],
  ['stalls inside the answer', { stall: { at: { byte: 20 } } }, true],
];

describe.each([
  ['whole answers', false],
  ['streams', true],
])('%s', (_, stream) => {
  test.each(failures)('a provider that %s is made good by the fallback', async (_name, script, ambiguous) => {
    const { chat, recorded, ledger } = await withFallback(
      '  timeout: 0.4\ngeneral_settings: {timeouts: {idle_seconds: 0.3}}',
    );
    primary.setDefault(script);
    const response = await chat({ stream });
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get('x-litellm-attempted-fallbacks')).toBe('1');
    expect(response.headers.get('x-litellm-model-group')).toBe('spare');
    if (stream) expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    else expect(JSON.parse(text).model).toBe('spare-model');
    const [record] = await recorded(1);
    expect(record?.status).toBe('success');
    expect(record?.attempts.map(({ group }) => group)).toEqual(['m', 'spare']);
    expect(record?.attempts[0]?.ambiguous).toBe(ambiguous);
    expect(ledger.extensions).toHaveLength(ambiguous ? 1 : 0);
    expect(record?.attempts[0]?.charged).toBe(ambiguous ? record?.bound : 0);
  });

  test('a provider nobody answers for is made good by the fallback', async () => {
    const { chat, recorded } = await withFallback();
    await primary.down();
    const response = await chat({ stream });
    expect(response.status).toBe(200);
    await response.text();
    const [record] = await recorded(1);
    expect(record?.attempts[0]).toMatchObject({ result: 'upstream_connection', ambiguous: false, charged: 0 });
  });
});

test.each([
  ['an error event at the start', { errorAtEvent: 0 }],
  ['an end without any event', { body: '', contentType: 'text/event-stream' }],
  ['only the role and then the end', finishAt({ event: 1 })],
  ['a stall before the first content, kept busy by comments', stallAt(1, 50)],
  ['a reset before the first content', resetAt({ event: 1 })],
] as const)('a stream with %s is made good by the fallback', async (_name, script) => {
  const { chat } = await withFallback('  timeout: 0.5\ngeneral_settings: {timeouts: {idle_seconds: 0.4}}');
  primary.setDefault(script);
  const response = await chat({ stream: true });
  const text = await response.text();
  expect(response.headers.get('x-litellm-model-group')).toBe('spare');
  expect(text).not.toContain('error');
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
});

test('a retry goes to another deployment of the group, at once', { retry: 2 }, async () => {
  const { chat, recorded } = await withTwoDeployments();
  primary.setDefault(serverError());
  const startedAt = performance.now();
  const response = await chat();
  expect(performance.now() - startedAt).toBeLessThan(400);
  expect(response.status).toBe(200);
  expect(response.headers.get('x-litellm-attempted-retries')).toBe('1');
  const [record] = await recorded(1);
  expect(record?.attempts.map(({ model, result }) => [model, result])).toEqual([
    ['first-model', 'upstream_error'],
    ['second-model', 'success'],
  ]);
});

test('a single deployment is tried again after a pause, as often as configured', async () => {
  rig = await startGatewayRig(`model_list:
${deployment('m', primary.url, 'openai/first-model')}
router_settings: {num_retries: 2}
`);
  primary.enqueue(serverError(), serverError());
  const response = await rig.chat();
  expect(response.status).toBe(200);
  expect(primary.requests).toHaveLength(3);
  expect(response.headers.get('x-litellm-attempted-retries')).toBe('2');
});

test('what a policy says about a class of errors comes first', async () => {
  rig = await startGatewayRig(`model_list:
${deployment('m', primary.url, 'openai/first-model')}
router_settings: {num_retries: 5, retry_policy: {InternalServerErrorRetries: 0, BadRequestErrorRetries: 1}}
`);
  primary.enqueue(serverError());
  expect((await rig.chat()).status).toBe(500);
  expect(primary.requests).toHaveLength(1);
  primary.enqueue({ status: 400, error: { message: 'odd' } });
  expect((await rig.chat()).status).toBe(200);
  expect(primary.requests).toHaveLength(3);
});

test('what the caller did wrong is told with the provider’s own status and not tried again', async () => {
  rig = await startGatewayRig(`model_list:\n${deployment('m', primary.url, 'openai/first-model')}\n`);
  for (const status of [400, 403, 404, 422]) {
    primary.reset();
    primary.enqueue({
      status,
      error: { message: `wrong in way ${status}`, type: 'invalid_request_error', param: 'top_p' },
    });
    const response = await rig.chat();
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(error.message).toMatch(new RegExp(`^litellm\\.\\w+: OpenAIException - wrong in way ${status}$`));
    expect(primary.requests).toHaveLength(1);
  }
});

test('when every target fails, the last failure is told with what led there', async () => {
  const { chat } = await withFallback();
  primary.setDefault(serverError(503));
  second.setDefault(rateLimited(7));
  const response = await chat();
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('7');
  const { error } = (await response.json()) as { error: { message: string } };
  expect(error.message).toMatch(/^litellm\.RateLimitError: OpenAIException/);
  expect(error.message).toContain("Received Model Group=m Available Model Group Fallbacks=['spare']");
  expect(error.message).toContain('Error doing the fallback:');
});

test('a context window that is too small goes to its own fallbacks', async () => {
  rig = await startGatewayRig(`model_list:
${deployment('m', primary.url, 'openai/first-model')}
${deployment('long', second.url, 'openai/long-model')}
${deployment('other', primary.url, 'openai/other-model')}
router_settings: {fallbacks: [{"m": ["other"]}], context_window_fallbacks: [{"m": ["long"]}]}
`);
  primary.enqueue(contextWindowExceeded());
  const response = await rig.chat();
  expect(response.headers.get('x-litellm-model-group')).toBe('long');
  expect(primary.requests).toHaveLength(1);
});

test('a caller may name its fallbacks with changes of their own, or forbid them', async () => {
  const { chat } = await withFallback();
  primary.setDefault(serverError());
  const changed = await chat({ fallbacks: [{ model: 'spare', temperature: 0.25 }], temperature: 1 });
  expect(changed.status).toBe(200);
  expect(second.requests.at(-1)?.json).toMatchObject({ temperature: 0.25, model: 'spare-model' });
  const forbidden = await chat({ disable_fallbacks: true });
  expect(forbidden.status).toBe(500);
});

test('a second purchase that the budget cannot hold is not made', async () => {
  const { chat, ledger, recorded } = await withFallback();
  ledger.extends = false;
  primary.setDefault(resetAt('before-headers'));
  const response = await chat();
  expect(response.status).toBe(500);
  expect(((await response.json()) as { error: { message: string } }).error.message).toContain('connection reset');
  expect(second.requests).toHaveLength(0);
  const [record] = await recorded(1);
  expect(record?.attempts).toHaveLength(1);
});

test('drills pretend a failure and let the fallback answer', async () => {
  const { chat } = await withFallback();
  const response = await chat({ mock_testing_fallbacks: true });
  expect(response.status).toBe(200);
  expect(primary.requests).toHaveLength(0);
  expect(second.requests).toHaveLength(1);
  expect(JSON.stringify(second.requests[0]?.json)).not.toContain('mock');
});

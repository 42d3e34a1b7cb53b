import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  binaryGarbage,
  emptyBody,
  type FakeProvider,
  garbageJson,
  htmlErrorPage,
  type Script,
  startFakeProvider,
} from '../fake-provider/index.ts';
import { both, type DialectName, dialects, type ExpectedError, expectError } from './support/caller-dialects.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';
import { raw } from './support/raw-request.ts';

/*
 * Everything a caller, a provider or an operator can get wrong about one request: a clear answer in the caller's format,
 * the process alive, no stack and none of the keys in any answer, log line or file.
 */
const providerKey = 'sk-provider-canary-7f3a91c0de5b';
const bytesMax = 4 * 1024 * 1024;

const upstreamFaults: Record<string, Script> = {
  'html-502': htmlErrorPage(502),
  'html-200': htmlErrorPage(200),
  garbage: garbageJson(),
  binary: binaryGarbage(),
  empty: emptyBody(),
  redirect: { status: 302, headers: { location: 'http://127.0.0.1:1/?key=stolen' }, body: '' },
  repeats: { status: 401, error: { message: `Incorrect API key provided: ${providerKey}` } },
  'not-an-object': { body: '[1,2]', contentType: 'application/json' },
};

let fake: FakeProvider;
let gateway: GatewayProcess;
/** Everything that anybody was answered, headers included. */
const answered: string[] = [];
const keys: Record<string, string> = {};

async function newKey(name: string, fields: object): Promise<void> {
  const answer = await gateway.post('/key/generate', fields);
  const { key } = (await answer.json()) as { key: string };
  expect(key).toMatch(/^sk-/);
  keys[name] = key;
}

beforeAll(async () => {
  fake = await startFakeProvider();
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  const { port } = closed.address() as AddressInfo;
  await new Promise((done) => closed.close(done));
  const at = (group: string, model: string, params: object = {}) =>
    deployment(group, fake.url, model, { api_key: providerKey, ...params });
  for (const [model, script] of Object.entries(upstreamFaults)) fake.setForModel(model, script);
  gateway = await startGateway({
    config: `model_list:
${at('plain', 'openai/plain')}
${Object.keys(upstreamFaults)
  .map((model) => at(model, `openai/${model}`))
  .join('\n')}
${at('unreachable', 'openai/unreachable', { api_base: `http://127.0.0.1:${port}/v1` })}
${at('nameless', 'openai/nameless', { api_base: 'http://no-such-host.invalid/v1' })}
${at('unset', 'openai/unset', { api_key: 'os.environ/NEVER_SET_KEY' })}
${at('claude', 'anthropic/claude-model', { api_base: fake.url })}
${at('priced', 'openai/priced', { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 })}
router_settings:
  num_retries: 0
  disable_cooldowns: true
general_settings:
  max_request_size_mb: ${bytesMax / 1024 / 1024}
`,
  });
  await newKey('expired', { duration: '1s', key_alias: 'expired' });
  await newKey('blocked', { key_alias: 'blocked' });
  await gateway.post('/key/block', { key: keys.blocked });
  await newKey('spent', { max_budget: 0, key_alias: 'spent' });
  await newKey('hurried', { rpm_limit: 1, key_alias: 'hurried' });
  await newKey('hurriedToo', { rpm_limit: 1, key_alias: 'hurried too' });
  await newKey('narrow', { models: ['plain'], key_alias: 'narrow' });
  await newKey('routed', { allowed_routes: ['/v1/embeddings'], key_alias: 'routed' });
});

afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

async function noted(answer: Response): Promise<{ status: number; text: string; body: unknown; headers: Headers }> {
  const text = await answer.text();
  answered.push(`${JSON.stringify([...answer.headers])}\n${text}`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status: answer.status, text, body, headers: answer.headers };
}

const send = async (name: DialectName, body: unknown, key = masterKey, headers: Record<string, string> = {}) =>
  await noted(await gateway.post(dialects[name].path, body, key, headers));

describe.each(both)('%s: a body that is wrong', (name) => {
  const { body } = dialects[name];
  const cases: [what: string, body: unknown, expected: ExpectedError][] = [
    ['nothing at all', '', { status: 400, message: /body is empty/ }],
    [
      'not JSON',
      '{"model": "plain", "messages": [}',
      { status: 400, message: /not valid JSON: line 1, column 33: expected a value/ },
    ],
    ['a list', '[]', { status: 400, message: /must be a JSON object, but it is a list/ }],
    ['null', 'null', { status: 400, message: /must be a JSON object, but it is null/ }],
    ['a number', '12', { status: 400, message: /must be a JSON object, but it is a number/ }],
    ['no model', body({ model: undefined }), { status: 400, message: /model/, param: 'model' }],
    [
      'a model that is a number',
      body({ model: 7 }),
      { status: 400, message: /model: expected a string/, param: 'model' },
    ],
    ['an empty model', body({ model: '' }), { status: 400, message: /model: required/, param: 'model' }],
    ['no messages', body({ messages: undefined }), { status: 400, message: /messages/, param: 'messages' }],
    [
      'messages that are a text',
      body({ messages: 'hello' }),
      { status: 400, message: /messages: expected a list/, param: 'messages' },
    ],
    ['no message', body({ messages: [] }), { status: 400, message: /messages: the list is empty/, param: 'messages' }],
    [
      'a message that is a text',
      body({ messages: ['hello'] }),
      { status: 400, message: /messages\[0\]/, param: 'messages' },
    ],
    [
      'a stream that is a text',
      body({ stream: 'yes' }),
      { status: 400, message: /stream: expected true or false/, param: 'stream' },
    ],
    [
      'tools that are an object',
      body({ tools: {} }),
      { status: 400, message: /tools: expected a list/, param: 'tools' },
    ],
    ['negative max_tokens', body({ max_tokens: -1 }), { status: 400, message: /max_tokens/, param: 'max_tokens' }],
    ['a fraction of a token', body({ max_tokens: 1.5 }), { status: 400, message: /max_tokens/, param: 'max_tokens' }],
    ['max_tokens as text', body({ max_tokens: '10' }), { status: 400, message: /max_tokens/, param: 'max_tokens' }],
    [
      'max_tokens beyond numbers',
      JSON.stringify(body({ max_tokens: 0 })).replace('"max_tokens":0', '"max_tokens":1e400'),
      { status: 400, message: /max_tokens/, param: 'max_tokens' },
    ],
    [
      'max_tokens NaN',
      JSON.stringify(body({ max_tokens: 0 })).replace('"max_tokens":0', '"max_tokens":NaN'),
      { status: 400, message: /not valid JSON/ },
    ],
    [
      'an unknown model',
      body({ model: 'plane' }),
      {
        status: 400,
        message: /Invalid model name passed in model=plane\..*\/v1\/models.*Did you mean 'plain'/,
        type: 'invalid_request_error',
        param: 'model',
      },
    ],
    [
      'a list of models with a gap',
      body({ model: 'plain,,priced' }),
      {
        status: 400,
        message: /A list of models is for OpenAI chat alone|names up to 20 different ones/,
        param: 'model',
      },
    ],
    [
      'a model of 100,000 letters',
      body({ model: 'x'.repeat(100_000) }),
      { status: 400, message: /Invalid model name passed in model=x{1,300}[^x]/, param: 'model' },
    ],
    [
      'a model called __proto__',
      body({ model: '__proto__' }),
      { status: 400, message: /Invalid model name/, param: 'model' },
    ],
    ['an address of the caller', body({ api_base: 'http://127.0.0.1:1' }), { status: 400, message: /api_base/ }],
    ['a key of the caller', body({ api_key: 'sk-callers-own' }), { status: 400, message: /api_key/ }],
    [
      'depth 10,000',
      `{"model":"plain","max_tokens":5,"messages":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      { status: 400, message: /nested deeper than 512 levels/ },
    ],
    ['open depth 100,000', '[{"a":'.repeat(100_000), { status: 400, message: /not valid JSON/ }],
    ['a NUL byte between tokens', '{"model":\u0000"plain"}', { status: 400, message: /not valid JSON/ }],
  ];
  it.each(cases)('%s', async (_, sent, expected) => {
    expectError(name, await send(name, sent), expected);
  });
});

describe('openai: numbers that are out of any range', () => {
  it.each([
    ['n of a million', { n: 1_000_000 }, /n: /],
    ['n of minus one', { n: -1 }, /n: /],
    ['n of a half', { n: 0.5 }, /n: /],
    ['max_completion_tokens of minus one', { max_completion_tokens: -1 }, /max_completion_tokens/],
  ])('%s', async (_, fields, message) => {
    const got = await send('openai', dialects.openai.body(fields));
    expectError('openai', got, { status: 400, message, param: Object.keys(fields)[0]! });
  });
});

describe.each(both)('%s: odd, but a request', (name) => {
  const { body } = dialects[name];
  const text = (content: string) => body({ messages: [{ role: 'user', content }] });
  const written = JSON.stringify(body({}));
  it.each([
    ['a million CJK characters', JSON.stringify(text('語'.repeat(1_000_000)))],
    ['a lone surrogate', JSON.stringify(text('a\ud800b'))],
    ['an escaped NUL', JSON.stringify(text('a\u0000b'))],
    [
      'members called __proto__ and constructor',
      written.replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},'),
    ],
    ['the model twice', written.replace('{', '{"model":"other",')],
    ['a byte order mark', `\ufeff${written}`],
    ['unknown fields of depth 400', written.replace('{', `{"zz":${'['.repeat(400)}${']'.repeat(400)},`)],
    ['a number of 400 digits in an unknown field', written.replace('{', `{"zz":${'9'.repeat(400)},`)],
  ])('%s', async (what, sent) => {
    const got = await send(name, sent);
    // A byte order mark may be refused as well as read; everything else is for the provider to judge.
    if (what === 'a byte order mark' && got.status === 400) return;
    expect(got.text.slice(0, 500)).not.toMatch(/error/);
    expect(got.status).toBe(200);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

it('a member called __proto__ gives a translated request nothing that was not checked', async () => {
  const evil = (more: object) =>
    JSON.stringify(dialects.openai.body({ model: 'claude', ...more })).replace(
      '{',
      '{"__proto__":{"max_tokens":77777,"top_k":-5},',
    );
  expectError('openai', await send('openai', evil({})), {
    status: 400,
    message: /\['__proto__'\]/,
    param: '__proto__',
  });
  expect((await send('openai', evil({ drop_params: true }))).status).toBe(200);
  const sent = fake.requests.at(-1)?.json as { max_tokens: number };
  expect(sent.max_tokens).toBeLessThan(77_777);
  expect(Object.keys(sent)).not.toContain('top_k');
});

describe.each(both)('%s: who asks', (name) => {
  const { body } = dialects[name];
  it('without a key', async () => {
    const got = await noted(
      await fetch(gateway.url + dialects[name].path, { method: 'POST', body: JSON.stringify(body({})) }),
    );
    expectError(name, got, {
      status: 401,
      message: /^.*Authentication Error, No api key passed in\./,
      type: 'auth_error',
    });
  });

  it.each<[string, string | (() => string), ExpectedError]>([
    [
      'with a key of another kind',
      'whatever-it-is',
      {
        status: 401,
        message: /LiteLLM Virtual Key expected\. Received=.*expected to start with 'sk-'/,
        type: 'auth_error',
      },
    ],
    [
      'with an unknown key',
      'sk-unknown-canary-0123456789',
      {
        status: 401,
        message: /Authentication Error, Invalid proxy server token passed/,
        type: 'token_not_found_in_db',
        param: 'key',
      },
    ],
    [
      'with a blocked key',
      () => keys.blocked!,
      { status: 401, message: /Authentication Error, Key is blocked\. Update via/, type: 'auth_error' },
    ],
    [
      'with a key over budget',
      () => keys.spent!,
      {
        status: 429,
        message: /Budget has been exceeded! Current cost: 0(\.0)?, Max budget: 0/,
        type: 'budget_exceeded',
        param: null,
      },
    ],
    [
      'with a key of other routes',
      () => keys.routed!,
      { status: 403, message: /not allowed to call this route\. Only allowed routes: \[/, type: 'auth_error' },
    ],
  ])('%s', async (_, key, expected) => {
    const got = await send(name, body({ model: 'priced' }), typeof key === 'string' ? key : key());
    expectError(name, got, expected);
  });

  it('with an expired key', async () => {
    await expect.poll(async () => (await send(name, body({}), keys.expired)).status, { timeout: 3_000 }).toBe(401);
    const got = await send(name, body({}), keys.expired);
    expectError(name, got, {
      status: 401,
      message: /Authentication Error - Expired Key\. Key Expiry time .* and current time/,
      type: 'expired_key',
    });
  });

  it('with a key over its limit', async () => {
    const key = name === 'openai' ? keys.hurried : keys.hurriedToo;
    expect((await send(name, body({}), key)).status).toBe(200);
    const got = await send(name, body({}), key);
    expectError(name, got, {
      status: 429,
      message: /Rate limit exceeded.*Limit type: requests\. Current limit: 1, Remaining: 0\. Limit resets at/,
    });
    expect(Number(got.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('for a model the key may not use', async () => {
    const got = await send(name, body({ model: 'priced' }), keys.narrow);
    expectError(name, got, {
      status: 403,
      message: /key not allowed to access model\. This key can only access models=\['plain'\]\. Tried to access priced/,
      type: 'key_model_access_denied',
      param: 'model',
    });
  });
});

describe.each(both)('%s: a provider that is wrong', (name) => {
  const { body } = dialects[name];
  it.each<[model: string, ExpectedError]>([
    ['html-502', { status: 502, message: /HTML page instead of an error message/ }],
    ['html-200', { status: 500, message: /HTML page instead of JSON; check api_base/ }],
    ['garbage', { status: 500, message: /the answer is not valid JSON/ }],
    ['binary', { status: 500, message: /the answer is not valid JSON/ }],
    ['empty', { status: 500, message: /the answer is empty/ }],
    ['not-an-object', { status: 500, message: /the answer is not a JSON object/ }],
    ['redirect', { status: 500, message: /redirect, which is not followed; check api_base/ }],
    ['repeats', { status: 401, message: /\[redacted\]/ }],
    ['unreachable', { status: 500, message: /connection refused/ }],
    ['nameless', { status: 500, message: /host name/ }],
    [
      'unset',
      {
        status: 400,
        message: /no healthy deployments for this model\. Passed model=unset: .*NEVER_SET_KEY/,
        param: 'model',
      },
    ],
  ])('%s', async (model, expected) => {
    for (const stream of [false, true]) {
      const got = await send(name, body({ model, stream }));
      if (expected.status === 502 && name === 'anthropic') {
        expect(got.status).toBe(502);
        expect(got.body).toMatchObject({ type: 'error', error: { type: 'api_error' } });
      } else expectError(name, got, expected);
    }
  });
});

describe('what is too large', () => {
  it.each(both)('%s: a body, announced, unannounced and compressed, each with a row', async (name) => {
    const rowsBefore = await rowsOf(413);
    const large = JSON.stringify(dialects[name].body({ messages: [{ role: 'user', content: 'x'.repeat(bytesMax) }] }));
    const message = /larger than the limit of 4194304 bytes/;
    expectError(name, await send(name, large), { status: 413, message });
    const unannounced = await noted(
      await fetch(gateway.url + dialects[name].path, {
        method: 'POST',
        headers: { authorization: `Bearer ${masterKey}` },
        body: new Blob([large]).stream(),
        duplex: 'half',
      } as RequestInit),
    );
    expectError(name, unannounced, { status: 413, message });
    const compressed = await noted(
      await fetch(gateway.url + dialects[name].path, {
        method: 'POST',
        headers: { authorization: `Bearer ${masterKey}`, 'content-encoding': 'gzip' },
        body: gzipSync(large),
      }),
    );
    expectError(name, compressed, { status: 413, message });
    expect(compressed.headers.get('x-litellm-call-id')).toBeTruthy();
    await expect.poll(() => rowsOf(413), { timeout: 5_000 }).toBe(rowsBefore + 3);
  });

  it('a body of the control plane, announced or not', async () => {
    const large = JSON.stringify({ key_alias: 'x'.repeat(bytesMax) });
    for (const body of [large, new Blob([large]).stream()]) {
      const told = await fetch(`${gateway.url}/key/generate`, {
        method: 'POST',
        headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
        body,
        duplex: 'half',
      } as RequestInit);
      expectError('openai', await noted(told), { status: 413, message: /larger than the limit of 4194304 bytes/ });
    }
  });

  it('an upload to the control plane that its client gives up is no failure', async () => {
    const { hostname, port } = new URL(gateway.url);
    const head = `POST /key/generate HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${masterKey}\r\ncontent-length: 100\r\n\r\n{`;
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.write(head, () => socket.destroy()));
      socket.on('close', () => resolve());
    });
    await expect.poll(async () => (await gateway.get('/health/liveliness')).status).toBe(200);
    expect(gateway.log()).not.toContain('control plane request failed');
  });

  it.each(both)('%s: a form, an unknown encoding and a damaged one', async (name) => {
    const post = async (headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>) =>
      await noted(
        await fetch(gateway.url + dialects[name].path, {
          method: 'POST',
          headers: { authorization: `Bearer ${masterKey}`, ...headers },
          body,
        }),
      );
    const form = await post({ 'content-type': 'multipart/form-data; boundary=x' }, '--x--');
    expectError(name, form, { status: 415, message: /must be JSON/ });
    expectError(name, await post({ 'content-encoding': 'lzma' }, '{}'), {
      status: 415,
      message: /content-encoding lzma is unknown/,
    });
    expectError(name, await post({ 'content-encoding': 'gzip' }, '{}'), { status: 400, message: /not valid gzip/ });
  });

  it('headers', async () => {
    const answer = await raw(
      gateway.url,
      `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${masterKey}\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({
      error: { message: expect.stringMatching(/headers are larger than/), code: '431' },
    });
  });

  it('nonsense that is not HTTP', async () => {
    expect(await raw(gateway.url, '\u0000\u0001\u0002 nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each(['GET', 'PUT', 'DELETE'])('a %s where a POST belongs', async (method) => {
    for (const name of both) {
      const got = await noted(
        await fetch(gateway.url + dialects[name].path, { method, headers: { authorization: `Bearer ${masterKey}` } }),
      );
      expect(got.status).toBe(405);
      expect(got.headers.get('allow')).toBe('POST');
    }
  });

  it('a path that is not there', async () => {
    const got = await noted(await gateway.get('/v1/nothing/here'));
    expectError('openai', got, { status: 404, message: /\/v1\/nothing\/here/ });
  });
});

describe('after all that', () => {
  it('the process lives, serves, and has one key unset only', async () => {
    expect(gateway.child.exitCode).toBeNull();
    expect((await send('openai', dialects.openai.body({}))).status).toBe(200);
    expect((await send('anthropic', dialects.anthropic.body({}))).status).toBe(200);
    expect(gateway.log()).toContain('NEVER_SET_KEY');
  });

  it('no stack and no key stands in an answer, in the log or in a file', async () => {
    // What is on its way to the store is in the journal meanwhile; both are read.
    await new Promise((done) => setTimeout(done, 500));
    const secrets = [
      masterKey,
      providerKey,
      'sk-unknown-canary-0123456789',
      'sk-callers-own',
      'key=stolen',
      ...Object.values(keys),
    ];
    expect(answered.length).toBeGreaterThan(100);
    const places: [string, string][] = [
      ['answers', answered.join('\n')],
      ['log', gateway.log()],
    ];
    for (const entry of readdirSync(join(gateway.folder, 'data'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      places.push([file, readFileSync(file, 'latin1')]);
    }
    expect(places.length).toBeGreaterThan(3);
    for (const [place, text] of places) {
      for (const secret of secrets) expect(text.includes(secret), `${secret.slice(0, 12)}… in ${place}`).toBe(false);
    }
    expect(answered.join('\n')).not.toMatch(/\.ts:\d+|node_modules|node:internal|\n\s+at /);
    expect(gateway.log()).not.toMatch(/\.ts:\d+:\d+|node:internal/);
  });
});

async function rowsOf(status: number): Promise<number> {
  const answer = await gateway.get('/spend/logs');
  const rows = (await answer.json()) as {
    metadata: { status_code?: number; error_information?: { error_code?: string } };
  }[];
  return rows.filter((row) => JSON.stringify(row).includes(`"${status}"`)).length;
}

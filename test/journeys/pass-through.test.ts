import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MediaServer, startMediaServer } from '../fake-provider/media-server.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Paths of providers that have no translation: as sent, under the operator's credential, with auth, budgets and rows. */
let upstream: MediaServer;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startMediaServer();
  const line = (name: string, model: string, base: string, more = '') =>
    `  - model_name: ${name}
    litellm_params: { model: ${model}, api_base: "${upstream.url}${base}", api_key: sk-upstream-1, input_cost_per_token: 0.001, output_cost_per_token: 0.002${more} }`;
  gateway = await startGateway({
    config: `
model_list:
${line('gpt', 'openai/gpt-x', '/v1')}
${line('claude', 'anthropic/claude-x', '')}
${line('any-vllm', 'hosted_vllm/*', '/v1')}
${line('cohere-one', 'cohere/command-one', '/one')}
${line('cohere-two', 'cohere/command-two', '/two', ', use_in_pass_through: true')}
general_settings:
  pass_through_endpoints:
    - path: /my/search
      target: "${upstream.url}/api/search"
      headers: { authorization: "bearer os.environ/SEARCH_KEY", x-extra: one }
      default_query_params: { lang: de }
      include_subpath: true
      forward_headers: true
      cost_per_request: 0.25
    - path: /my/read-only
      target: "${upstream.url}/read"
      methods: [GET]
`,
    env: { SEARCH_KEY: 'search-secret-1' },
  });
});

beforeEach(() => {
  upstream.requests.length = 0;
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

async function keyWith(limits: object): Promise<string> {
  const made = await gateway.post('/key/generate', limits);
  return ((await made.json()) as { key: string }).key;
}

async function spentBy(key: string, expected: number): Promise<void> {
  let spend = Number.NaN;
  for (let waited = 0; waited < 5_000; waited += 50) {
    const told = (await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } };
    spend = told.info.spend;
    if (Math.abs(spend - expected) < 1e-9) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(spend).toBeCloseTo(expected, 9);
}

const send = (path: string, init: RequestInit & { key?: string } = {}) =>
  fetch(gateway.url + path, {
    ...init,
    headers: { authorization: `Bearer ${init.key ?? masterKey}`, ...(init.headers as Record<string, string>) },
  });

describe('a path below a provider’s name', () => {
  it('goes to the provider as sent: method, query, body, status and type', async () => {
    upstream.answers = [{ status: 201, type: 'application/json', chunks: ['[{"odd": 1}]'] }];
    const answer = await send('/openai/v1/vector_stores?limit=3', {
      method: 'POST',
      body: '{ "name":"x" }',
      headers: {
        'content-type': 'application/json',
        'openai-beta': 'assistants=v2',
        cookie: 'secret=1',
        'x-api-key': 'mine',
      },
    });
    expect([answer.status, await answer.text()]).toEqual([201, '[{"odd": 1}]']);
    const [request] = upstream.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/v1/vector_stores?limit=3' });
    expect(request!.body.toString()).toBe('{ "name":"x" }');
    expect(request!.headers).toMatchObject({ authorization: 'Bearer sk-upstream-1', 'openai-beta': 'assistants=v2' });
    expect(request!.headers).not.toHaveProperty('cookie');
    expect(request!.headers).not.toHaveProperty('x-api-key');
  });

  it.each([
    ['GET', '/openai_passthrough/v1/files', '/v1/files'],
    ['GET', '/openai/fine_tuning/jobs', '/v1/fine_tuning/jobs'],
    ['DELETE', '/openai_passthrough/v1/files/f', '/v1/files/f'],
    ['GET', '/vllm/v1/models', '/v1/models'],
    ['GET', '/anthropic/v1/models', '/v1/models'],
  ])('%s %s', async (method, path, expected) => {
    upstream.answers = [{ chunks: ['{"ok":true}'] }];
    const answer = await send(path, { method });
    expect(await answer.json()).toEqual({ ok: true });
    expect(upstream.requests[0]).toMatchObject({ method, path: expected });
  });

  it.each(['/openai/../admin', '/openai/v1/%2e%2E/admin', '/my/search/..', '/my/search/a%2f..%5Cb', '/my/search/./a'])(
    'does not lead out of its place: %s',
    async (path) => {
      const { port } = new URL(gateway.url);
      const headers = { authorization: `Bearer ${masterKey}` };
      const status = await new Promise((resolve, reject) => {
        const asked = request({ port, path, headers, method: 'POST' }, ({ statusCode }) => resolve(statusCode));
        asked.on('error', reject).end('{}');
      });
      expect([status, upstream.requests.length]).toEqual([404, 0]);
    },
  );

  it('passes forms and sound', async () => {
    upstream.answers = [{ type: 'audio/mpeg', chunks: [Buffer.alloc(100_000, 1)] }];
    const form = new FormData();
    form.append('file', new Blob(['abc']), 'a.txt');
    const answer = await send('/openai/v1/containers', { method: 'POST', body: form });
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    expect((await answer.arrayBuffer()).byteLength).toBe(100_000);
    expect(upstream.requests[0]!.form).toEqual({ file: 'a.txt:3' });
  });

  it('tells the provider’s refusal, and keeps the deployment in use', async () => {
    upstream.answers = [{ status: 404, chunks: ['{"error":{"message":"No such assistant"}}'] }];
    for (let times = 0; times < 5; times += 1) {
      const answer = await send('/openai/v1/assistants/a');
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain('No such assistant');
    }
    upstream.answers = [{ chunks: ['{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop","index":0}]}'] }];
    const chat = await gateway.post('/v1/chat/completions', {
      model: 'gpt',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(chat.status).toBe(200);
  });
});

describe('money', () => {
  it('is paid by the usage that is told, in whatever shape', async () => {
    const key = await keyWith({ max_budget: 100 });
    const ask = async (path: string, body: object) => {
      const answer = await send(path, {
        method: 'POST',
        body: JSON.stringify({ max_tokens: 100, ...body }),
        headers: { 'content-type': 'application/json' },
        key,
      });
      expect(answer.status, await answer.clone().text()).toBe(200);
      await answer.arrayBuffer();
    };
    upstream.answers = [{ chunks: ['{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}'] }];
    await ask('/openai_passthrough/v1/chat/completions', { model: 'gpt-x' });
    await spentBy(key, 0.02);
    upstream.answers = [{ chunks: ['{"usage":{"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":0}}'] }];
    await ask('/anthropic/v1/messages', { model: 'claude-x' });
    await spentBy(key, 0.04);
    const events = [
      { type: 'message_start', message: { usage: { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 0 } } },
      { type: 'content_block_delta', delta: { text: 'Hi' } },
      { type: 'message_delta', usage: { output_tokens: 5 } },
    ];
    const chunks = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    upstream.answers = [{ type: 'text/event-stream', chunks }];
    await ask('/anthropic/v1/messages', { model: 'claude-x', stream: true });
    await spentBy(key, 0.06);
    upstream.answers = [{ chunks: ['{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}'] }];
    await ask('/vllm/v1/classify', { model: 'any/model' });
    await spentBy(key, 0.08);
  });

  it('goes to the deployment that is meant for it, unless it names the model of another one', async () => {
    await gateway.post('/cohere/v1/classify', { inputs: ['a'] });
    await gateway.post('/cohere/v1/chat', { model: 'command-one', message: 'Hi' });
    expect(upstream.requests.map(({ path }) => path)).toEqual(['/two/v1/classify', '/one/v1/chat']);
  });

  it('is refused where it does not fit, and where nobody can say what it would cost', async () => {
    upstream.answers = [{ chunks: ['{}'] }];
    const key = await keyWith({ max_budget: 0.01 });
    const post = (path: string, body: object) =>
      send(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' }, key });
    expect((await post('/openai_passthrough/v1/chat/completions', { model: 'gpt-x', max_tokens: 100 })).status).toBe(
      429,
    );
    const unpriced = await post('/openai/v1/threads/runs', { thread: {} });
    expect([unpriced.status, await unpriced.text()]).toEqual([400, expect.stringContaining('price')]);
    expect((await send('/openai_passthrough/v1/files', { key })).status).toBe(200);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('a path that the operator opened', () => {
  it('goes to its target, with its credential, and costs what it says', async () => {
    const key = await keyWith({ max_budget: 1 });
    upstream.answers = [{ chunks: ['{"found":[]}'] }];
    const headers = { 'x-mine': 'yes', cookie: 'a=b' };
    const answer = await send('/my/search/deep?q=x%20y', { method: 'POST', body: '{"a":1}', headers, key });
    expect(await answer.json()).toEqual({ found: [] });
    const [request] = upstream.requests;
    expect(request!.path).toBe('/api/search/deep?q=x+y&lang=de');
    expect(request!.headers).toMatchObject({
      authorization: 'bearer search-secret-1',
      'x-extra': 'one',
      'x-mine': 'yes',
    });
    expect(request!.headers).not.toHaveProperty('cookie');
    await spentBy(key, 0.25);
    for (let times = 0; times < 3; times += 1) await send('/my/search', { key });
    await spentBy(key, 1);
    expect((await send('/my/search', { key })).status).toBe(429);
  });

  it('takes the methods it is opened for, and needs a key', async () => {
    upstream.answers = [{ chunks: ['{}'] }];
    expect((await send('/my/read-only')).status).toBe(200);
    expect((await send('/my/read-only', { method: 'POST', body: '{}' })).status).toBe(405);
    expect((await send('/my/read-only/below')).status).toBe(404);
    expect((await fetch(`${gateway.url}/my/read-only`)).status).toBe(401);
  });
});

describe('who may', () => {
  it.each([
    ['gpt', '/openai_passthrough/v1/chat/completions', 'gpt-x', 200],
    ['gpt', '/anthropic/v1/messages', 'claude-x', 403],
    ['gpt', '/openai/v1/threads', undefined, 403],
    ['openai/*', '/openai/v1/threads', undefined, 200],
    ['all-proxy-models', '/openai_passthrough/v1/chat/completions', 'not-there', 400],
  ])('a key for %s at %s with model %s', async (allowed, path, model, status) => {
    upstream.answers = [{ chunks: ['{}'] }];
    const key = await keyWith({ models: [allowed] });
    const body = JSON.stringify({ model, max_tokens: 1 });
    const answer = await send(path, { method: 'POST', body, headers: { 'content-type': 'application/json' }, key });
    expect(answer.status, await answer.text()).toBe(status);
  });

  it('nobody without a key, and no provider that is not configured', async () => {
    expect((await fetch(`${gateway.url}/openai_passthrough/v1/files`)).status).toBe(401);
    expect((await send('/groq/v1/files')).status).toBe(404);
    expect(upstream.requests).toHaveLength(0);
  });
});

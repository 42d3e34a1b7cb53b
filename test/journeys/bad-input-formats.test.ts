import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  emptyBody,
  type FakeProvider,
  garbageJson,
  htmlErrorPage,
  type Script,
  serverError,
  startFakeProvider,
} from '../fake-provider/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* What a caller or a provider gets wrong, told to the callers of the other formats in theirs: status, shape and words. */
interface Format {
  readonly path: (model: string, stream: boolean) => string;
  readonly body: (model: string, stream: boolean) => object;
  /** The message of an error, if the answer is one in this format. */
  readonly messageOf: (answer: Record<string, unknown>, status: number) => unknown;
}

const inner = (answer: Record<string, unknown>) => answer.error as Record<string, unknown> | undefined;

const formats: Readonly<Record<string, Format>> = {
  responses: {
    path: () => '/v1/responses',
    body: (model, stream) => ({ model, stream, input: 'Hello' }),
    messageOf: (answer) => {
      expect(Object.keys(inner(answer) ?? {}).sort()).toEqual(['code', 'message', 'param', 'type']);
      return inner(answer)?.message;
    },
  },
  gemini: {
    path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: () => ({ contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }),
    messageOf: (answer, status) => {
      expect(inner(answer)).toMatchObject({ code: status, status: expect.stringMatching(/^[A-Z_]+$/) });
      return inner(answer)?.message;
    },
  },
  bedrock: {
    path: (model, stream) => `/model/${model}/converse${stream ? '-stream' : ''}`,
    body: () => ({ messages: [{ role: 'user', content: [{ text: 'Hello' }] }] }),
    messageOf: (answer) => {
      expect(answer.__type).toMatch(/Exception$/);
      return answer.message;
    },
  },
  cohere: {
    path: () => '/v2/chat',
    body: (model, stream) => ({ model, stream, messages: [{ role: 'user', content: 'Hello' }] }),
    messageOf: (answer) => answer.message,
  },
  ollama: {
    path: () => '/api/chat',
    body: (model, stream) => ({ model, stream, messages: [{ role: 'user', content: 'Hello' }] }),
    messageOf: (answer) => answer.error,
  },
};

const faults: Readonly<Record<string, readonly [script: Script, status: number, words: RegExp]>> = {
  html: [htmlErrorPage(502), 502, /502/],
  garbage: [garbageJson(), 500, /answer|JSON|format/i],
  empty: [emptyBody(), 500, /empty|answer/i],
  broken: [serverError(503), 503, /ServiceUnavailable|503/],
};

const bytesMax = 1024 * 1024;
let fake: FakeProvider;
let gateway: GatewayProcess;
const keys: Record<string, string> = {};

beforeAll(async () => {
  fake = await startFakeProvider();
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  const { port } = closed.address() as AddressInfo;
  await new Promise((done) => closed.close(done));
  for (const [model, [script]] of Object.entries(faults)) fake.setForModel(model, script);
  const price = { input_cost_per_token: 0.001, output_cost_per_token: 0.001 };
  gateway = await startGateway({
    config: `model_list:
${deployment('plain', fake.url, 'openai/plain', price)}
${Object.keys(faults)
  .map((model) => deployment(model, fake.url, `openai/${model}`))
  .join('\n')}
${deployment('unreachable', `http://127.0.0.1:${port}`, 'openai/plain')}
router_settings: { num_retries: 0, disable_cooldowns: true }
general_settings: { max_request_size_mb: ${bytesMax / 1024 / 1024} }
`,
  });
  const wanted = {
    good: {},
    blocked: { blocked: true },
    expired: { duration: '1s' },
    spent: { max_budget: 0 },
    limited: { rpm_limit: 0 },
    narrow: { models: ['unreachable'] },
  };
  for (const [name, fields] of Object.entries(wanted)) {
    keys[name] = await gateway.makeKey(fields);
  }
  await new Promise((resolve) => setTimeout(resolve, 1_100));
});

afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

describe.each(Object.entries(formats))('%s', (_, format) => {
  async function refused(
    key: string | null,
    { model = 'plain', stream = false, body, headers = {} }: Partial<Asked> = {},
  ): Promise<readonly [status: number, message: unknown]> {
    const response = await fetch(gateway.url + format.path(model, stream), {
      method: 'POST',
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        'content-type': 'application/json',
        ...headers,
      },
      body: body ?? JSON.stringify(format.body(model, stream)),
    });
    const text = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const answer = JSON.parse(text) as Record<string, unknown>;
    expect(text).not.toMatch(/\bat [\w.]+ \(|node:internal|\.ts:\d/);
    if (key !== null) expect(text).not.toContain(key);
    return [response.status, format.messageOf(answer, response.status)];
  }
  const says = (words: RegExp) => expect.stringMatching(words);

  it('who asks', async () => {
    expect(await refused(null)).toEqual([401, says(/No api key passed in/)]);
    expect(await refused('sk-unknown-canary-0123456789')).toEqual([401, says(/Invalid proxy server token/)]);
    expect(await refused('whatever')).toEqual([401, says(/expected to start with 'sk-'/)]);
    expect(await refused(keys.blocked!)).toEqual([401, says(/Key is blocked/)]);
    expect(await refused(keys.expired!)).toEqual([401, says(/Expired Key/)]);
    expect(await refused(keys.spent!)).toEqual([429, says(/Budget has been exceeded! Current cost: 0/)]);
    expect(await refused(keys.limited!)).toEqual([429, says(/Rate limit exceeded.*Limit type: requests/)]);
    expect(await refused(keys.narrow!)).toEqual([403, says(/key not allowed to access model/)]);
    expect(await refused(keys.good!, { model: 'nowhere' })).toEqual([
      400,
      says(/Invalid model name passed in model=nowhere/),
    ]);
  });

  it('what is asked', async () => {
    expect(await refused(keys.good!, { body: '{"model": "plain", "messages": [' })).toEqual([
      400,
      says(/not valid JSON/),
    ]);
    expect(await refused(keys.good!, { body: '[]' })).toEqual([400, says(/must be a JSON object/)]);
    expect(await refused(keys.good!, { body: '' })).toEqual([400, says(/empty/)]);
    const wrong = JSON.stringify({ ...format.body('plain', false), messages: 7, input: 7, contents: 7 });
    expect(await refused(keys.good!, { body: wrong })).toEqual([400, says(/(messages|input|contents): expected/)]);
    const large = JSON.stringify({ ...format.body('plain', false), padding: 'x'.repeat(bytesMax) });
    expect(await refused(keys.good!, { body: large })).toEqual([413, says(/too large|larger|limit/i)]);
    expect(await refused(null, { body: large })).toEqual([401, says(/No api key/)]);
    const form = { headers: { 'content-type': 'multipart/form-data; boundary=x' } };
    expect(await refused(keys.good!, form)).toEqual([415, says(/JSON/)]);
  });

  it.each([false, true])('what the provider does (stream: %s)', async (stream) => {
    for (const [model, [, status, words]] of Object.entries(faults)) {
      expect([model, ...(await refused(keys.good!, { model, stream }))]).toEqual([model, status, says(words)]);
    }
    const gone = await refused(keys.good!, { model: 'unreachable', stream });
    expect(gone).toEqual([500, says(/APIConnectionError.*connection refused|cannot be reached|ECONNREFUSED|refused/)]);
  });
});

interface Asked {
  readonly model: string;
  readonly stream: boolean;
  readonly body: string;
  readonly headers: Record<string, string>;
}

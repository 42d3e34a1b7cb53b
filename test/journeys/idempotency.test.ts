import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* Idempotency-Key over real sockets, with two gateways over one store. TOLLGATE_IDEMPOTENCY_KEYS=1000 for the long run. */
const keysWanted = Number(process.env.TOLLGATE_IDEMPOTENCY_KEYS ?? 40);
const duplicates = 5;

let folder: string;
let upstream: FakeProvider;
let gateways: GatewayProcess[];
let key: string;
let config: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-once-'));
  upstream = await startFakeProvider();
  config = `
model_list:
  - model_name: m
    litellm_params:
      model: openai/m
      api_base: "${upstream.url}/v1"
      api_key: none
      input_cost_per_token: 0.000001
      output_cost_per_token: 0.000001
router_settings: { num_retries: 0 }
general_settings: { idempotency_answer_max_kb: 64 }
`;
  gateways = [await startGateway({ config, folder }), await startGateway({ config, folder })];
  key = await makeKey({ max_budget: 100 });
}, 90_000);

afterAll(async () => {
  await Promise.all(gateways?.map((gateway) => gateway.stop()) ?? []);
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function makeKey(body: object): Promise<string> {
  return gateways[0]!.makeKey(body);
}

function ask(at: number, once: string, body: object = {}, path = '/v1/chat/completions', by = key): Promise<Response> {
  const whole = { model: 'm', max_tokens: 20, messages: [{ role: 'user', content: `Say ${once} [[ref:${once}]]` }] };
  return gateways[at % 2]!.post(path, { ...whole, ...body }, by, { 'idempotency-key': once });
}

const dispatches = (once: string) => upstream.invoice.filter(({ reference }) => reference === once).length;

async function spend(by = key): Promise<number> {
  const shown = await gateways[0]!.get(`/key/info?key=${by}`);
  return ((await shown.json()) as { info: { spend: number } }).info.spend;
}

describe('Idempotency-Key', () => {
  it('sends at most one of five duplicates that come at once, on any gateway, and gives its answer again', async () => {
    upstream.setDefault({ delayBeforeHeadersMs: 20 });
    const statuses = new Map<number, number>();
    for (let first = 0; first < keysWanted; first += 20) {
      const names = Array.from({ length: Math.min(20, keysWanted - first) }, (_, index) => `many-${first + index}`);
      await Promise.all(
        names.map(async (once) => {
          const answers = await Promise.all(
            Array.from({ length: duplicates }, (_, at) => ask(at, once, { stream: first % 40 === 20 })),
          );
          const bodies = await Promise.all(answers.map((answer) => answer.text()));
          const good = bodies.filter((_, index) => answers[index]!.status === 200);
          expect(good.length).toBeGreaterThan(0);
          expect(new Set(good).size).toBe(1);
          for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
          const later = await ask(1, once, { stream: first % 40 === 20 });
          expect(later.status).toBe(200);
          expect(later.headers.get('x-tollgate-idempotent-replay')).toBe('true');
          expect(await later.text()).toBe(good[0]);
          expect(dispatches(once)).toBe(1);
        }),
      );
    }
    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 409)).toEqual([]);
    upstream.setDefault({});
  }, 120_000);

  it('gives an answer again at no cost, in every format, streams as streams', async () => {
    const bodies: readonly (readonly [path: string, body: object])[] = [
      ['/v1/chat/completions', {}],
      ['/v1/chat/completions', { stream: true }],
      ['/v1/messages', {}],
      ['/v1/messages', { stream: true }],
      ['/v1/completions', { prompt: 'Hello', messages: undefined }],
      ['/v1/embeddings', { input: 'Hello', messages: undefined, max_tokens: undefined }],
    ];
    for (const [index, [path, body]] of bodies.entries()) {
      const once = `format-${index}`;
      const sent = upstream.requests.length;
      // A key of its own: what others have spent is still being written down.
      const by = await makeKey({ max_budget: 1 });
      const first = await ask(0, once, body, path, by);
      const text = await first.text();
      expect(first.status, `${path}: ${text}`).toBe(200);
      expect(first.headers.get('x-tollgate-idempotent-replay')).toBeNull();
      await expect.poll(() => spend(by)).toBeGreaterThan(0);
      const before = await spend(by);
      const again = await ask(1, once, body, path, by);
      expect(await again.text()).toBe(text);
      expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
      expect(again.headers.get('x-tollgate-idempotent-replay')).toBe('true');
      expect(again.headers.get('x-litellm-response-cost')).toBe('0.0');
      expect(upstream.requests.length).toBe(sent + 1);
      expect(await spend(by)).toBe(before);
    }
  });

  it('refuses the same key with another body or path (422), and a key that is none (400)', async () => {
    await (await ask(0, 'body')).text();
    for (const changed of [await ask(1, 'body', { max_tokens: 21 }), await ask(1, 'body', {}, '/v1/messages')]) {
      expect(changed.status).toBe(422);
      expect(await changed.text()).toContain('This Idempotency-Key was used for another request');
    }
    const bad = await ask(0, 'two words');
    expect(bad.status).toBe(400);
    expect(await bad.text()).toContain('Idempotency-Key: expected 1 to 255 visible ASCII characters');
  });

  it('belongs to the key that asks', async () => {
    const other = await makeKey({ max_budget: 1 });
    await (await ask(0, 'whose')).text();
    const theirs = await ask(0, 'whose', { max_tokens: 5 }, '/v1/chat/completions', other);
    expect(theirs.status).toBe(200);
    expect(theirs.headers.get('x-tollgate-idempotent-replay')).toBeNull();
  });

  it('frees the key when nothing was bought, keeps the failure when something may have been', async () => {
    const poor = await makeKey({ max_budget: 0 });
    expect((await ask(0, 'poor', {}, '/v1/chat/completions', poor)).status).toBe(429);
    await gateways[0]!.post('/key/update', { key: poor, max_budget: 1 });
    expect((await ask(0, 'poor', {}, '/v1/chat/completions', poor)).status).toBe(200);

    upstream.enqueue({ status: 503 });
    expect((await ask(0, 'refused')).status).toBe(503);
    expect((await ask(0, 'refused')).status).toBe(200);

    upstream.enqueue({ reset: { byte: 20 } });
    const broken = await ask(0, 'broken');
    const text = await broken.text();
    expect(broken.status).toBe(500);
    const again = await ask(1, 'broken');
    expect([again.status, again.headers.get('x-tollgate-idempotent-replay')]).toEqual([500, 'true']);
    expect(await again.text()).toBe(text);
    expect(dispatches('broken')).toBe(1);
  });

  it('does not send again what was too long to keep, or whose gateway died', async () => {
    upstream.enqueue({ text: 'long '.repeat(40_000) });
    // Within its bound: a model that breaks one would be suspended.
    const body = { max_tokens: 200_000 };
    expect((await ask(0, 'long', body)).status).toBe(200);
    const again = await ask(1, 'long', body);
    expect([again.status, dispatches('long')]).toEqual([409, 1]);
    expect(await again.text()).toContain('was not kept');

    upstream.enqueue({ stall: { at: 'before-headers' } });
    const sent = upstream.requests.length;
    const cut = ask(0, 'died').catch(() => null);
    while (upstream.requests.length === sent) await new Promise((resolve) => setTimeout(resolve, 5));
    await gateways[0]!.kill();
    await cut;
    gateways[0] = await startGateway({ config, folder });
    for (const at of [0, 1]) {
      const answer = await ask(at, 'died');
      expect(answer.status).toBe(409);
      expect(await answer.text()).toContain('Idempotency-Key');
    }
    expect(upstream.requests.length).toBe(sent + 1);
  }, 60_000);
});

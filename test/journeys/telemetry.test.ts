import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/servers/child.ts';
import { type Collector, startCollector } from '../collector/collector.ts';
import { metricsRequest, strictlyDecoded } from '../collector/schema.ts';
import { type FakeProvider, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * The reference deployment's observability: OpenTelemetry by environment towards a Langfuse that starts later than the
 * gateway, Helicone by one setting; and a run of many requests, every span of which arrives exactly once.
 */
const requestCount = Number(process.env.TELEMETRY_REQUESTS ?? 400);
const providerKey = 'sk-upstream-canary-of-telemetry';
const heliconeKey = 'sk-helicone-canary-0123456789';
const langfuseSecret = 'sk-lf-canary-0123456789';
const said = 'Tell me the secret of the purple elephant.';

let upstream: FakeProvider;
let langfuse: Collector | undefined;
let helicone: Collector;
let measures: Collector;
let gateway: GatewayProcess;
let langfusePort: number;

beforeAll(async () => {
  upstream = await startFakeProvider();
  upstream.setDefault({ text: 'The elephant is purple.', usage: { inputTokens: 12, outputTokens: 6 } });
  helicone = await startCollector();
  measures = await startCollector();
  langfusePort = await freePort();
  const model = (name: string) => `
  - model_name: ${name}
    litellm_params:
      model: openai/${name}-1
      api_base: "${upstream.url}/v1"
      api_key: ${providerKey}
      input_cost_per_token: 0.001
      output_cost_per_token: 0.002`;
  gateway = await startGateway({
    config: `
model_list:${model('primary')}${model('second')}
router_settings: { fallbacks: [{ primary: [second] }], num_retries: 0 }
general_settings:
  success_callback: ["helicone"]
  helicone_api_key: os.environ/HELICONE_API_KEY
`,
    env: {
      OTEL_EXPORTER: 'otlp_http',
      OTEL_ENDPOINT: `http://127.0.0.1:${langfusePort}/api/public/otel`,
      OTEL_SERVICE_NAME: 'litellm-proxy',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${measures.url}/v1/metrics`,
      OTEL_METRIC_EXPORT_INTERVAL: '300',
      LANGFUSE_PUBLIC_KEY: 'pk-lf-1',
      LANGFUSE_SECRET_KEY: langfuseSecret,
      HELICONE_API_KEY: heliconeKey,
      HELICONE_API_BASE: helicone.url,
    },
  });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
  await langfuse?.close();
  await helicone?.close();
  await measures?.close();
});

const ask = (body: object = {}, headers: Record<string, string> = {}, key = masterKey) =>
  gateway.post(
    '/v1/chat/completions',
    { model: 'primary', messages: [{ role: 'user', content: said }], ...body },
    key,
    headers,
  );
const spansOf = (requestId: string) => {
  const root = langfuse!.spans.find(({ attributes }) => attributes['tollgate.request_id'] === requestId);
  return root === undefined ? [] : [root, ...langfuse!.spans.filter((span) => span.parentSpanId === root.spanId)];
};

describe('the reference deployment, observed', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  let first = '';
  let keyed = '';

  it('serves while Langfuse is not there yet', async () => {
    const made = (await (await gateway.post('/key/generate', { key_alias: 'team-blue' })).json()) as { key: string };
    const answer = await ask(
      { user: 'customer-7', metadata: { session_id: 'session-1', tags: ['blue'] } },
      {},
      made.key,
    );
    expect(answer.status).toBe(200);
    first = answer.headers.get('x-litellm-call-id')!;
    const streamed = await ask({ stream: true }, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    keyed = streamed.headers.get('x-litellm-call-id')!;
    await streamed.text();
    upstream.enqueue(serverError(503));
    expect((await ask()).status).toBe(200);
    langfuse = await startCollector(langfusePort);
    await expect.poll(() => spansOf(first).length, { timeout: 15_000 }).toBeGreaterThan(1);
  }, 30_000);

  it('gives Langfuse its keys, and the attributes people filter by', () => {
    const [call] = langfuse!.calls;
    expect(call!.path).toBe('/api/public/otel/v1/traces');
    const credentials = Buffer.from(`pk-lf-1:${langfuseSecret}`).toString('base64');
    expect(call!.headers.authorization).toBe(`Basic ${credentials}`);
    const [root] = spansOf(first);
    const attempt = spansOf(first).find(({ kind }) => kind === 3);
    expect(root!.resource).toMatchObject({ 'service.name': 'litellm-proxy' });
    expect(root).toMatchObject({ name: 'chat primary', kind: 2, isError: false, parentSpanId: null });
    expect(root!.attributes).toMatchObject({
      model: 'primary',
      virtual_key: 'team-blue',
      total_tokens: 18,
      prompt_tokens: 12,
      completion_tokens: 6,
      cost_usd: 0.024,
      provider: 'openai',
      'gen_ai.request.model': 'primary',
      'gen_ai.usage.input_tokens': 12,
      'langfuse.user.id': 'customer-7',
      'langfuse.session.id': 'session-1',
      'langfuse.trace.tags': ['blue'],
      'langfuse.trace.metadata.virtual_key': 'team-blue',
      'langfuse.observation.cost_details': '{"total":0.024}',
    });
    const {
      latency_ms: latency,
      'tollgate.provider_time_ms': provider,
      'tollgate.gateway_time_ms': own,
    } = root!.attributes;
    expect(latency).toBeGreaterThanOrEqual(Number(provider));
    expect(own).toBeGreaterThan(0);
    expect(attempt).toMatchObject({ name: 'chat primary-1', kind: 3, traceId: root!.traceId });
  });

  it('keeps to the trace of the caller, and the provider is told of the attempt', () => {
    const [root] = spansOf(keyed);
    const attempt = spansOf(keyed).find(({ kind }) => kind === 3);
    expect(root).toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7' });
    expect(upstream.requests[1]!.headers.traceparent).toBe(`00-${traceId}-${attempt!.spanId}-01`);
    expect(root!.attributes['tollgate.time_to_first_token_ms']).toBeGreaterThanOrEqual(0);
  });

  it('shows both attempts of a request that fell back', () => {
    const root = langfuse!.spans.find(({ attributes }) => attributes['tollgate.attempts'] === 2);
    const attempts = spansOf(String(root!.attributes['tollgate.request_id'])).filter(({ kind }) => kind === 3);
    expect(attempts.map(({ name, isError }) => [name, isError])).toEqual([
      ['chat primary-1', true],
      ['chat second-1', false],
    ]);
    expect(attempts[0]!.attributes['http.response.status_code']).toBe(503);
  });

  it('gives Helicone its log of each request', async () => {
    await expect.poll(() => helicone.calls.length, { timeout: 10_000 }).toBe(3);
    const call = helicone.calls.find(({ body }) => body.toString().includes('team-blue'))!;
    expect(call.path).toBe('/oai/v1/log');
    expect(call.headers.authorization).toBe(`Bearer ${heliconeKey}`);
    const log = JSON.parse(call.body.toString());
    expect(log.providerRequest).toMatchObject({
      url: `${upstream.url}/v1`,
      json: { model: expect.any(String), messages: [{ role: 'user', content: said }] },
      meta: {
        'Helicone-User-Id': 'customer-7',
        'Helicone-Session-Id': 'session-1',
        'Helicone-Property-virtual_key': 'team-blue',
      },
    });
    expect(log.providerResponse).toMatchObject({
      status: 200,
      json: { usage: { prompt_tokens: 12, completion_tokens: 6 } },
    });
    const { startTime, endTime } = log.timing;
    for (const time of [startTime, endTime]) {
      expect(time).toEqual({ seconds: expect.any(Number), milliseconds: expect.any(Number) });
      expect(time.milliseconds).toBeLessThan(1_000);
    }
    expect(endTime.seconds * 1_000 + endTime.milliseconds).toBeGreaterThanOrEqual(
      startTime.seconds * 1_000 + startTime.milliseconds,
    );
  });

  it('gives a collector of metrics all of them, again and again', async () => {
    const wanted = ['litellm_spend_metric', 'gen_ai.client.token.usage', 'tollgate_sink_delivered'];
    const last = () => measures.calls.at(-1);
    await expect
      .poll(() => wanted.every((name) => last()?.body.toString('latin1').includes(name)), { timeout: 10_000 })
      .toBe(true);
    expect(last()!.path).toBe('/v1/metrics');
    const read = strictlyDecoded(metricsRequest, last()!.body) as { resourceMetrics: unknown[] };
    expect(read.resourceMetrics).toHaveLength(1);
    expect(measures.calls.length).toBeGreaterThan(1);
  });

  it('says nothing of what was said to a collector that was not to hear it', () => {
    const wire = langfuse!.calls.map(({ body }) => body.toString('latin1')).join('');
    expect(wire).not.toContain('purple');
  });

  it(`delivers every span of ${requestCount} requests exactly once, through trouble`, async () => {
    const moods = [{ kind: 'status', status: 503 }, { kind: 'slow', ms: 200 }, { kind: 'reset' }] as const;
    const start = langfuse!.asked;
    langfuse!.mood = (call) => moods[call - start] ?? { kind: 'well' };
    const before = langfuse!.spans.length;
    const asked = new Set<string>();
    let left = requestCount;
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        const answer = await ask();
        await answer.arrayBuffer();
        asked.add(answer.headers.get('x-litellm-call-id')!);
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
    expect(asked.size).toBe(requestCount);
    const roots = () => langfuse!.spans.slice(before).filter(({ kind }) => kind === 2);
    await expect.poll(() => roots().length, { timeout: 60_000, interval: 200 }).toBeGreaterThanOrEqual(requestCount);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const told = roots().map(({ attributes }) => String(attributes['tollgate.request_id']));
    expect(told).toHaveLength(requestCount);
    expect(new Set(told)).toEqual(asked);
    const ids = langfuse!.spans.map(({ traceId: trace, spanId }) => `${trace}/${spanId}`);
    expect(new Set(ids).size).toBe(ids.length);
    const metrics = await (await gateway.get('/metrics')).text();
    const figure = (name: string) => Number(new RegExp(`^${name}\\{sink="otel"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
    expect(figure('tollgate_sink_delivered_total')).toBe(langfuse!.spans.length);
    expect(figure('tollgate_sink_produced_total')).toBe(langfuse!.spans.length);
    expect(figure('tollgate_sink_dropped_total')).toBe(0);
  }, 600_000);

  it('keeps every credential to itself', async () => {
    const logs = gateway.log();
    const metrics = await (await gateway.get('/metrics')).text();
    const bodies = [...langfuse!.calls, ...helicone.calls].map(({ body }) => body.toString('latin1')).join('');
    for (const secret of [providerKey, heliconeKey, langfuseSecret, masterKey]) {
      for (const text of [logs, metrics, bodies]) expect(text.includes(secret)).toBe(false);
    }
  });
});

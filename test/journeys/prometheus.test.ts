import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPrometheus, type PrometheusServer, startPrometheus } from '../../scripts/servers/prometheus.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* The real promtool reads what /metrics says, a real Prometheus scrapes it, rules and dashboard name what exists. */
const deploy = resolve(import.meta.dirname, '../../deploy');
const rulesFile = join(deploy, 'prometheus/tollgate.rules.yml');
let upstream: FakeProvider;
let gateway: GatewayProcess;
let prometheus: PrometheusServer | undefined;
let keyToken = '';

beforeAll(async () => {
  upstream = await startFakeProvider();
  gateway = await startGateway({
    config: `
model_list:
  - model_name: steady
    litellm_params: { model: openai/steady-1, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0.001, output_cost_per_token: 0.001, rpm: 1000 }
  - model_name: broken
    litellm_params: { model: openai/broken-1, api_base: "http://127.0.0.1:9/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0 }
router_settings: { fallbacks: [{ broken: [steady] }], num_retries: 0 }
litellm_settings:
  callbacks: [prometheus, jsonl]
  custom_prometheus_metadata_labels: [metadata.department]
  custom_prometheus_tags: [urgent]
  prometheus_emit_stream_label: true
callback_settings: { jsonl: { path: requests.jsonl } }
`,
  });
  const team = (await (
    await gateway.post('/team/new', { team_alias: 'The "A" team', max_budget: 50, budget_duration: '1d' })
  ).json()) as { team_id: string };
  const made = (await (
    await gateway.post('/key/generate', {
      key_alias: 'reader',
      team_id: team.team_id,
      max_budget: 10,
      budget_duration: '1d',
      metadata: { department: 'research' },
      model_rpm_limit: { steady: 100 },
    })
  ).json()) as { key: string; token: string };
  keyToken = made.token;
  const ask = async (body: object) => {
    const messages = [{ role: 'user', content: 'Hello' }];
    const answer = await gateway.post(
      '/v1/chat/completions',
      { model: 'steady', max_tokens: 5, messages, ...body },
      made.key,
    );
    await answer.arrayBuffer();
    return answer.status;
  };
  expect(await ask({ metadata: { tags: ['urgent'] } })).toBe(200);
  expect(await ask({ stream: true })).toBe(200);
  expect(await ask({ model: 'broken' })).toBe(200);
  expect(await ask({ model: 'no-such-model' })).toBeGreaterThanOrEqual(400);
}, 120_000);

afterAll(async () => {
  await prometheus?.close();
  await gateway?.stop();
  await upstream?.close();
});

const metricsText = async (): Promise<string> => {
  await (await gateway.get('/metrics')).text();
  return (await gateway.get('/metrics')).text();
};

/** Every metric of the specification that such a run touches. */
const touched = [
  'litellm_proxy_total_requests_metric_total',
  'litellm_proxy_failed_requests_metric_total',
  'litellm_spend_metric_total',
  'litellm_requests_metric_total',
  'litellm_total_tokens_metric_total',
  'litellm_input_tokens_metric_total',
  'litellm_output_tokens_metric_total',
  'litellm_request_total_latency_metric',
  'litellm_llm_api_latency_metric',
  'litellm_llm_api_time_to_first_token_metric',
  'litellm_overhead_latency_metric',
  'litellm_deployment_success_responses_total',
  'litellm_deployment_total_requests_total',
  'litellm_deployment_failure_responses_total',
  'litellm_deployment_latency_per_output_token',
  'litellm_deployment_state',
  'litellm_deployment_successful_fallbacks_total',
  'litellm_remaining_api_key_requests_for_model',
  'litellm_team_max_budget_metric',
  'litellm_remaining_team_budget_metric',
  'litellm_team_budget_remaining_hours_metric',
  'litellm_api_key_max_budget_metric',
  'litellm_remaining_api_key_budget_metric',
  'litellm_api_key_budget_remaining_hours_metric',
  'litellm_in_flight_requests',
  'litellm_self_latency',
  'litellm_in_memory_spend_update_queue_size',
  'tollgate_sink_produced_total',
  'tollgate_sink_delivered_total',
  'tollgate_store_up',
];

describe('/metrics', () => {
  it('is clean to promtool, but for the two names that others have given', async () => {
    const { promtool, environment } = findPrometheus();
    const text = await metricsText();
    let complaints = '';
    try {
      execFileSync(promtool, ['check', 'metrics'], {
        input: text,
        env: { ...process.env, ...environment },
        stdio: 'pipe',
      });
    } catch (cause) {
      const { status, stderr } = cause as { status: number; stderr: Buffer };
      // 3: nothing is wrong, but something could be named better.
      expect(status, stderr.toString()).toBe(3);
      complaints = stderr.toString();
    }
    const lines = complaints.split('\n').filter((line) => line !== '');
    const given = /^litellm_(team|api_key)_budget_remaining_hours_metric use base unit "seconds" instead of "hours"$/;
    expect(lines.filter((line) => !given.test(line))).toEqual([]);
  });

  it('has the names and labels that dashboards look for', async () => {
    const text = await metricsText();
    const found = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]));
    expect(touched.filter((name) => !found.has(name))).toEqual([]);
    const line = text
      .split('\n')
      .find((one) => one.startsWith('litellm_spend_metric_total{') && one.includes('steady-1'));
    expect(line).toContain(`hashed_api_key="${keyToken}"`);
    expect(line).toContain('team_alias="The \\"A\\" team"');
    expect(line).toContain('metadata_department="research"');
    expect(text).toMatch(/litellm_proxy_total_requests_metric_total\{[^}]*stream="true"[^}]*tag_urgent="false"/);
    // A name that no model has is not a label.
    expect(text).not.toContain('no-such-model');
    expect(text).toContain('requested_model="unknown"');
  });

  it('is scraped by a Prometheus, and rules work on it', async () => {
    prometheus = await startPrometheus(new URL(gateway.url).host, [rulesFile]);
    const query = async (expression: string): Promise<number> => {
      const answer = await fetch(`${prometheus!.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return Number(data.result[0]?.value[1] ?? Number.NaN);
    };
    await expect.poll(() => query('sum(litellm_requests_metric_total)'), { timeout: 15_000 }).toBe(3);
    expect(
      await query('sum(litellm_remaining_api_key_budget_metric) < sum(litellm_api_key_max_budget_metric)'),
    ).toBeGreaterThan(9);
    expect(
      await query('histogram_quantile(0.5, sum by (le) (litellm_request_total_latency_metric_bucket))'),
    ).toBeGreaterThan(0);
    expect(await query('max(litellm_api_key_budget_remaining_hours_metric)')).toBeLessThanOrEqual(24);
    const rules = (await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    const all = rules.data.groups.flatMap((group) => group.rules);
    expect(all.length).toBeGreaterThan(8);
    expect(all.filter(({ lastError }) => lastError !== undefined && lastError !== '')).toEqual([]);
  }, 60_000);
});

describe('the files for operators', () => {
  it('hold rules that promtool accepts', () => {
    const { promtool, environment } = findPrometheus();
    const output = execFileSync(promtool, ['check', 'rules', rulesFile], { env: { ...process.env, ...environment } });
    expect(output.toString()).toContain('SUCCESS');
  });

  it('name only metrics that exist', async () => {
    const text = await metricsText();
    const known = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]!));
    const later = ['litellm_deployment_failed_fallbacks_total'];
    const files = ['prometheus/tollgate.rules.yml', 'grafana/tollgate.json'].map((file) =>
      readFileSync(join(deploy, file), 'utf8'),
    );
    const named = new Set(files.flatMap((file) => file.match(/\b(?:litellm|tollgate|process)_[a-z_]+\b/g) ?? []));
    const unknown = [...named].filter(
      (name) => !known.has(name.replace(/_bucket$/, '')) && !later.includes(name) && !/^litellm_model_name$/.test(name),
    );
    expect(unknown).toEqual([]);
  });
});

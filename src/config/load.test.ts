import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderDiagnostics } from './diagnostic.ts';
import { loadConfig, loadConfigText, readStoredModel } from './load.ts';

const fixture = (name: string) => new URL(`./fixtures/${name}`, import.meta.url).pathname;

function messages(text: string, environment: Record<string, string> = {}): string[] {
  return renderDiagnostics(loadConfigText(text, 'config.yaml', environment).diagnostics);
}

describe('the reference configuration', () => {
  const environment = { OPENAI_API_KEY: 'sk-provider', LITELLM_MASTER_KEY: 'sk-master' };

  it('loads as it stands, with unset variables as warnings', () => {
    const { config, diagnostics } = loadConfig(fixture('reference.yaml'), environment);
    expect(config?.deployments.map((deployment) => deployment.group)).toEqual(['llama-4-scout', 'gpt-4o-mini']);
    expect(config?.sections.general_settings?.master_key?.reveal()).toBe('sk-master');
    expect(config?.sections.router_settings?.fallbacks).toEqual([{ 'llama-4-scout': ['gpt-4o-mini'] }]);
    expect(diagnostics.filter(({ severity }) => severity === 'error' || severity === 'skipped')).toEqual([]);
    expect(diagnostics.filter(({ severity }) => severity === 'warning').map(({ path }) => path)).toEqual([
      'router_settings.redis_password',
      'general_settings.database_url',
    ]);
  });

  it('also with the Helicone keys that tutorials put into general_settings', () => {
    const text = `${readFileSync(fixture('reference.yaml'), 'utf8')}  success_callback: ["helicone"]
  helicone_api_key: os.environ/HELICONE_API_KEY
`;
    const { config, diagnostics } = loadConfigText(text, 'config.yaml', { ...environment, HELICONE_API_KEY: 'pk' });
    expect(config?.sections.general_settings?.success_callback).toEqual(['helicone']);
    expect(diagnostics.filter(({ message }) => message === 'unknown key')).toEqual([]);
  });
});

describe('what LiteLLM takes, too', () => {
  const entry = (params: string, more = '') => `model_list:
  - model_name: a
    litellm_params: {model: gpt-4o, api_key: x, ${params}}
${more}`;
  const only = (text: string) => {
    const { config, diagnostics } = loadConfigText(text, 'config.yaml', {});
    return {
      params: config?.deployments[0]?.params,
      entry: config?.deployments[0],
      told: renderDiagnostics(diagnostics),
    };
  };

  it('numbers with their digits in groups', () => {
    expect(only(entry('tpm: 20_000, max_tokens: 4_096')).params).toMatchObject({ tpm: 20_000 });
    expect(only(entry('tpm: 20_000, max_tokens: 4_096')).entry?.requestDefaults).toEqual({ max_tokens: 4_096 });
    expect(only(entry('tpm: 1, region_name: "20_000"')).params).toMatchObject({ region_name: '20_000' });
  });

  it('rpm and tpm beside litellm_params, and in model_info', () => {
    expect(only(entry('timeout: 1', '    rpm: 3\n    tpm: 400')).params).toMatchObject({ rpm: 3, tpm: 400 });
    const { params, told } = only(entry('rpm: 7', '    rpm: 3\n    model_info: {tpm: 500}'));
    expect([params, told]).toMatchObject([{ rpm: 7, tpm: 500 }, []]);
  });

  it('other names of Vertex AI’s settings', () => {
    const { params, told } = only(entry('vertex_ai_project: p, vertex_ai_location: europe-west1'));
    expect([params, told]).toMatchObject([{ vertex_project: 'p', vertex_location: 'europe-west1' }, []]);
  });

  it('keys that mean nothing here, in one line; they are not sent to providers', () => {
    const { entry: read, told } = only(`${entry('max_file_size_mb: 3, prompt_id: p')}
general_settings: {disable_prisma_schema_update: true}
litellm_settings: {websearch_interception_params: {}}
router_settings: {retry_policy: {DefaultRetries: 1}}
worker_registry: []
`);
    expect(told).toEqual([
      'notice: accepted, without effect here: worker_registry, router_settings.retry_policy.DefaultRetries, ' +
        'litellm_settings.websearch_interception_params, general_settings.disable_prisma_schema_update, ' +
        'model_list[0].litellm_params.max_file_size_mb, model_list[0].litellm_params.prompt_id',
    ]);
    expect(read?.requestDefaults).toEqual({});
  });

  it('what speaks to the gateway is not sent on; base_model and request_timeout may stand among the parameters', () => {
    const internal =
      'metadata: {a: 1}, fallbacks: [x], no-log: true, mock_delay: 1, litellm_call_id: 5, guardrails: [g]';
    const { entry: read, told } = only(entry(`${internal}, base_model: gpt-4o, request_timeout: 7, seed: 3`));
    expect(read).toMatchObject({
      requestDefaults: { seed: 3 },
      info: { base_model: 'gpt-4o' },
      params: { timeout: 7 },
    });
    expect(told.every((line) => line.startsWith('notice: '))).toBe(true);
  });

  it('drop_params as a list, a number for a name, switches in headers', () => {
    const { told, entry: read } = only(`model_list:
  - model_name: 7
    litellm_params: {model: gpt-4o, api_key: x, drop_params: [tool_choice], extra_headers: {x-on: true, x-two: 2}}
.shared: {}
`);
    expect(told).toEqual([]);
    expect(read).toMatchObject({
      group: '7',
      params: { drop_params: ['tool_choice'], extra_headers: { 'x-on': 'true', 'x-two': '2' } },
    });
  });

  it('a key in the wrong section, and says where it belongs', () => {
    expect(messages('general_settings: {routing_strategy: least-busy, max_budget: 2}')).toEqual([
      'warning: config.yaml:1:20 general_settings.routing_strategy: does nothing here; it belongs into router_settings',
      'warning: config.yaml:1:50 general_settings.max_budget: does nothing here; it belongs into litellm_settings',
    ]);
  });

  it('a credential under a name that nobody knows goes nowhere', () => {
    const { entry: read, told } = only(entry('acme_secret_key: hush, best_of: 2'));
    expect(read?.requestDefaults).toEqual({ best_of: 2 });
    expect(told).toEqual([
      'warning: config.yaml:3:49 model_list[0].litellm_params.acme_secret_key: unknown key; not used, for it reads like a credential',
    ]);
  });

  it('a pass-through path whose target is an unset variable is left out, the rest stands', () => {
    const { told } = only(`${entry('rpm: 1')}
general_settings: {pass_through_endpoints: [{path: /a, target: os.environ/NOWHERE}]}
`);
    expect(told).toEqual([
      'warning: config.yaml:5:64 general_settings.pass_through_endpoints[0].target: the variable NOWHERE is not set; taken as not written',
    ]);
  });
});

describe('what is wrong', () => {
  it('is told with line, column, key and the nearest valid key', () => {
    const { config, diagnostics } = loadConfig(fixture('broken.yaml'), {});
    const file = fixture('broken.yaml');
    expect(config?.deployments.map((deployment) => deployment.group)).toEqual(['a', 'b']);
    expect(renderDiagnostics(diagnostics)).toEqual([
      `skipped: ${file}:10:57 model_list[2].litellm_params.rpm: found -1; expected a whole number of 0 or more`,
      `skipped: ${file}:11:5 model_list[3]: found 3; deployment skipped; expected a map with \`model_name\` and \`litellm_params\``,
      `skipped: ${file}:12:5 model_list[4].litellm_params: missing; deployment d skipped; expected a map with at least \`model\``,
      `warning: ${file}:6:7 model_list[0].litellm_params.rpmm: unknown key; sent to the provider as a request parameter; did you mean rpm?`,
      `warning: ${file}:14:3 router_settings.routing_stratgy: unknown key; did you mean routing_strategy?`,
      `warning: ${file}:15:21 router_settings.fallbacks[0].a[0]: there is no model group c; did you mean a?`,
      `warning: ${file}:16:1 litelm_settings: unknown key; did you mean litellm_settings?`,
      'notice: accepted and kept, not active yet: general_settings.control_plane_url',
    ]);
  });

  it.each([
    ['', 'error: config.yaml:1:1 the file is empty; expected a map of settings, e.g. model_list'],
    ['# only a comment\n', 'error: config.yaml:1:1 the file is empty; expected a map of settings, e.g. model_list'],
    ['- a\n- b\n', 'error: config.yaml:1:1 the file holds a list; expected a map of settings, e.g. model_list'],
    ['hello', 'error: config.yaml:1:1 the file holds a single value; expected a map of settings, e.g. model_list'],
    ['a:\n\tb: 1\n', 'error: config.yaml:2:1 a tab is used as indentation; expected spaces'],
    [
      'router_settings:\n  timeout: 1\n  timeout: 2\n',
      'warning: config.yaml:3:3 timeout stands twice in the same map: this one counts',
    ],
    ['model_list: {}', 'error: config.yaml:1:13 model_list: found a map; expected a list of deployments'],
    [
      'router_settings: {timeout: [1]}',
      'error: config.yaml:1:28 router_settings.timeout: found a list; expected seconds, a number of 0 or more',
    ],
    [
      'router_settings: {routing_strategy: least-bussy}',
      'error: config.yaml:1:37 router_settings.routing_strategy: found text; expected one of simple-shuffle, least-busy, usage-based-routing, usage-based-routing-v2, latency-based-routing, cost-based-routing, provider-budget-routing; did you mean least-busy?',
    ],
    [
      'general_settings: {timeouts: {conect_seconds: 1}}',
      'error: config.yaml:1:31 general_settings.timeouts.conect_seconds: unknown key; did you mean connect_seconds?',
    ],
    [
      'litellm_settings: {timezone: Europe/Berln}',
      'error: config.yaml:1:30 litellm_settings.timezone: found text; expected a time zone such as UTC or Europe/Berlin',
    ],
    [
      'litellm_settings: {max_budget: 1e12}',
      'error: config.yaml:1:32 litellm_settings.max_budget: found 1000000000000; expected US dollars from 0 to 9,000,000',
    ],
    ['general_settings: []', 'error: config.yaml:1:19 general_settings: found a list; expected a map'],
    ['a: *nobody', 'error: config.yaml:1:4 no anchor is named nobody'],
    ['__proto__: {a: 1}', 'error: config.yaml:1:1 __proto__ cannot be a key'],
  ])('%j', (text, expected) => {
    expect(messages(text)[0]).toBe(expected);
  });

  it('never repeats a text that may be a secret in the wrong place', () => {
    const text = `general_settings: {max_request_size_mb: os.environ/SECRET, proxy_batch_polling_interval: sk-pasted-here}
model_list: [{model_name: a, litellm_params: {model: openai/x, api_base: sk-pasted-here, rpm: os.environ/SECRET}}]`;
    const all = messages(text, { SECRET: 'sk-very-secret' }).join('\n');
    expect(all).toContain('general_settings.max_request_size_mb: found text');
    expect(all).not.toMatch(/sk-very-secret|sk-pasted-here/);
  });

  it.each([
    ['general_settings: {user_header_mappings: [{header_name: X, litellm_user_role: internal-user}]}', 'internal_user'],
    ['general_settings: {supported_db_objects: [model]}', 'models'],
    ['router_settings: {optional_pre_call_checks: [session_affinty]}', 'session_affinity'],
    ['model_list: [{model_name: llama, params: {model: openai/x, silent_model: lama}}]', 'llama'],
  ])('words that mean nothing, or lead nowhere: %s', (text, meant) => {
    expect(messages(text)).toEqual([
      expect.stringMatching(new RegExp(`^warning: config.yaml:1:\\d+ .*did you mean ${meant}\\?$`)),
    ]);
  });

  it('odd names of a deployment that is left out for something else', () => {
    const text =
      'model_list: [{model_name: a, params: {model: openai/x, rpm: lots, api_bas: x}, model_info: {health_check_voic: y}}]';
    expect(messages(text)).toEqual([
      expect.stringContaining('rpm: found text'),
      expect.stringContaining('did you mean api_base?'),
      expect.stringContaining('did you mean health_check_voice?'),
    ]);
  });

  it('stops an alias bomb and an alias that contains itself', () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]\n`;
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}${level('e', 'd')}${level('f', 'e')}${level('g', 'f')}`;
    expect(messages(bomb)[0]).toContain('the aliases expand to too many values');
    expect(messages('a: &a {b: *a}')[0]).toContain('an alias contains itself');
  });
});

describe('reading', () => {
  it('takes anchors, merge keys and the YAML 1.1 words for booleans', () => {
    const text = `
x-defaults: &defaults { api_key: k, rpm: 5 }
model_list:
  - model_name: a
    litellm_params: { <<: *defaults, model: openai/gpt-4o, rpm: "7", drop_params: yes }
`;
    const { config } = loadConfigText(text, 'config.yaml', {});
    expect(config?.deployments[0]?.params).toMatchObject({ rpm: 7, drop_params: true });
    expect(config?.deployments[0]?.params.api_key?.reveal()).toBe('k');
  });

  it('takes `params` for `litellm_params`', () => {
    const { config } = loadConfigText('model_list: [{model_name: a, params: {model: openai/x}}]', 'config.yaml', {});
    expect(config?.deployments[0]?.params.model).toBe('openai/x');
  });

  it('keeps other names as request defaults, with a warning only for the unusual ones', () => {
    const text =
      'model_list: [{model_name: a, params: {model: openai/x, temperature: 0, top_k: 3, strange_one: 1, input_cost_per_token: 1e-6}}]';
    const { config, diagnostics } = loadConfigText(text, 'config.yaml', {});
    expect(config?.deployments[0]?.requestDefaults).toEqual({ temperature: 0, top_k: 3, strange_one: 1 });
    expect(diagnostics.map(({ path }) => path)).toEqual(['model_list[0].params.strange_one']);
  });

  it('puts default_litellm_params under every deployment', () => {
    const text =
      'router_settings: {default_litellm_params: {rpm: 9, temperature: 1}}\nmodel_list: [{model_name: a, params: {model: openai/x, temperature: 0}}]';
    const deployment = loadConfigText(text, 'config.yaml', {}).config?.deployments[0];
    expect(deployment?.params.rpm).toBe(9);
    expect(deployment?.requestDefaults).toEqual({ temperature: 0 });
  });

  it('makes a deployment with an unset credential unusable, and only that one', () => {
    const text = `
model_list:
  - { model_name: a, litellm_params: { model: openai/x, api_key: os.environ/NOPE } }
  - { model_name: b, litellm_params: { model: openai/x, api_key: os.environ/YES, rpm: os.environ/ALSO_NOPE } }
`;
    const { config, diagnostics } = loadConfigText(text, 'config.yaml', { YES: 'k' });
    expect(config?.deployments.map((deployment) => deployment.unusable)).toEqual([
      'the variable NOPE is not set',
      null,
    ]);
    expect(renderDiagnostics(diagnostics)).toEqual([
      'warning: config.yaml:3:66 model_list[0].litellm_params.api_key: the variable NOPE is not set; taken as not written',
      'warning: config.yaml:4:87 model_list[1].litellm_params.rpm: the variable ALSO_NOPE is not set; taken as not written',
    ]);
  });

  it('exports environment_variables before anything else is resolved', () => {
    const text = `
environment_variables: { KEY: from-file, SECOND: os.environ/OUTER, NUMBER: 5 }
model_list: [{ model_name: a, litellm_params: { model: openai/x, api_key: os.environ/KEY } }]
`;
    const outer = { KEY: 'from-outside', OUTER: 'o' };
    const { config } = loadConfigText(text, 'config.yaml', outer);
    expect(config?.variables).toEqual({ KEY: 'from-file', SECOND: 'o', NUMBER: '5' });
    expect(config?.deployments[0]?.params.api_key?.reveal()).toBe('from-file');
    expect(outer.KEY).toBe('from-outside');
  });

  it('fills variables inside header texts only', () => {
    const text = `
model_list:
  - model_name: a
    litellm_params:
      model: openai/x
      extra_headers: { authorization: "bearer os.environ/T", x: os.environ/T, y: "a os.environ/NOPE" }
      user: "bearer os.environ/T"
`;
    const deployment = loadConfigText(text, 'config.yaml', { T: 'token' }).config?.deployments[0];
    expect(deployment?.params.extra_headers).toMatchObject({ authorization: 'bearer token', x: 'token' });
    expect(deployment?.requestDefaults.user).toBe('bearer os.environ/T');
    expect(JSON.stringify(deployment?.publicParams)).not.toContain('token');
  });

  it('normalises the ways to write a budget window', () => {
    const text = 'model_list: [{model_name: a, params: {model: openai/x, max_budget: 5, budget_duration: monthly}}]';
    expect(loadConfigText(text, 'config.yaml', {}).config?.deployments[0]?.params.budget_duration).toBe('1mo');
  });

  it('reads a stored model like an entry of the file', () => {
    const stored = {
      id: 'm-1',
      modelName: 'stored',
      params: { model: 'openai/x', api_key: 'os.environ/KEY' },
      modelInfo: {},
      blocked: true,
    };
    const { entry } = readStoredModel(stored, { KEY: 'k' });
    expect(entry).toMatchObject({ group: 'stored', fromDatabase: true, info: { id: 'm-1', blocked: true } });
    const broken = readStoredModel({ ...stored, params: { model: 'openai/x', rpm: 'many' } }, {});
    expect(broken.entry).toBeUndefined();
    expect(renderDiagnostics(broken.diagnostics)[0]).toBe(
      'skipped: stored model stored (m-1) litellm_params.rpm: found text; expected a whole number of 0 or more',
    );
  });
});

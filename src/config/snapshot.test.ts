import { describe, expect, it } from 'vitest';
import { Secret } from '../core/secret.ts';
import { providerDirectory } from '../providers/index.ts';
import { bundledCatalogue } from './catalogue.ts';
import { renderDiagnostics } from './diagnostic.ts';
import { loadConfig, loadConfigText, readStoredModel } from './load.ts';
import { buildSnapshot, type SnapshotSources } from './snapshot.ts';

const catalogue = bundledCatalogue(Date.UTC(2026, 10, 1));

function build(text: string, environment: Record<string, string> = {}, more: Partial<SnapshotSources> = {}) {
  const { config, diagnostics } = loadConfigText(text, 'config.yaml', environment);
  if (config === undefined) throw new Error(renderDiagnostics(diagnostics).join('\n'));
  const built = buildSnapshot({
    config,
    directory: providerDirectory,
    catalogue,
    masterKey: null,
    version: 1,
    ...more,
  });
  return { ...built, messages: renderDiagnostics(built.diagnostics), all: [...built.snapshot.deployments.values()] };
}

const model = (name: string, params: string, info = '') =>
  `model_list: [{model_name: "${name}", litellm_params: {${params}}${info === '' ? '' : `, model_info: {${info}}`}}]`;

describe('the reference configuration', () => {
  const file = new URL('./fixtures/reference.yaml', import.meta.url).pathname;
  const { config } = loadConfig(file, { OPENAI_API_KEY: 'sk-provider', LITELLM_MASTER_KEY: 'sk-master' });
  const { snapshot, diagnostics } = buildSnapshot({
    config: config!,
    directory: providerDirectory,
    catalogue,
    masterKey: new Secret('sk-master'),
    version: 7,
  });

  it('routes as it says', () => {
    const llama = snapshot.groups.get('llama-4-scout')!.deployments[0]!;
    expect(llama).toMatchObject({
      model: 'meta-llama/Llama-4-Scout-17B-16E-Instruct',
      apiBase: 'http://vllm_host:8000/v1',
      unusable: null,
      price: { rates: { input: 0, output: 0 }, source: 'assumed' },
    });
    expect(llama.endpoint.origin).toBe('http://vllm_host:8000');
    const mini = snapshot.groups.get('gpt-4o-mini')!.deployments[0]!;
    expect(mini.endpoint.headers).toEqual(['authorization', 'Bearer sk-provider']);
    expect(mini.price?.rates.input).toBe(150_000_000);
    expect(snapshot.router).toMatchObject({
      strategy: 'cost-based-routing',
      retries: 2,
      fallbacksMax: 5,
      cooldownMs: 5000,
    });
    expect(snapshot.router.fallbacks.get('llama-4-scout')).toEqual(['gpt-4o-mini']);
    expect(snapshot.settings.cache).toMatchObject({ scope: 'team', byDefault: true });
    expect(snapshot.version).toBe(7);
  });

  it('holds the master key as a hash and lists every secret for the scrubber', () => {
    expect(snapshot.settings.masterKeyHash).toMatch(/^[0-9a-f]{64}$/);
    expect(snapshot.secrets.map((secret) => secret.reveal()).sort()).toEqual(['dummy-key', 'sk-master', 'sk-provider']);
    expect(JSON.stringify([...snapshot.deployments.values()].map((d) => [d.publicParams, d.modelInfo]))).not.toMatch(
      /sk-|dummy-key/,
    );
  });

  it('says that the price of the self-hosted model is not known', () => {
    expect(renderDiagnostics(diagnostics)).toEqual([
      `warning: ${file}:4:14 model_list[0].litellm_params.model: no price is known for meta-llama/Llama-4-Scout-17B-16E-Instruct; taken as 0 dollars (write input_cost_per_token and output_cost_per_token (0 is a price), or gpu_cost_per_hour and tokens_per_second)`,
    ]);
  });
});

describe('the model string', () => {
  it.each([
    ['model: gpt-4o-mini, api_key: k', 'openai', 'gpt-4o-mini'],
    ['model: openai/meta-llama/Llama/x, api_key: k, api_base: "http://h/v1"', 'openai', 'meta-llama/Llama/x'],
    ['model: claude-sonnet-4-5, api_key: k', 'anthropic', 'claude-sonnet-4-5'],
    ['model: my-own, api_base: "http://h/v1", api_key: k', 'openai', 'my-own'],
    ['model: meta-llama/x, custom_llm_provider: groq, api_key: k', 'groq', 'meta-llama/x'],
    ['model: groq/x, custom_llm_provider: groq, api_key: k', 'groq', 'x'],
  ])('%s', (params, provider, upstream) => {
    const [deployment] = build(model('a', params)).all;
    expect([deployment?.provider.id, deployment?.model]).toEqual([provider, upstream]);
  });

  it.each([
    ['model: opnai/gpt-4o', 'there is no provider opnai; deployment a skipped; did you mean openai?'],
    [
      'model: mystery',
      'no provider is known for the model mystery: write provider/mystery, or add `api_base`; deployment a skipped',
    ],
    [
      'model: openai/x, custom_llm_provider: grok',
      'there is no provider grok; deployment a skipped; did you mean groq?',
    ],
  ])('%s is skipped', (params, message) => {
    const { all, messages } = build(model('a', params));
    expect(all).toEqual([]);
    expect(messages).toEqual([`skipped: config.yaml:1:56 model_list[0].litellm_params.model: ${message}`]);
  });
});

describe('credentials', () => {
  it('of the environment go to the provider’s own address only', () => {
    const environment = { OPENAI_API_KEY: 'sk-provider' };
    expect(build(model('a', 'model: openai/gpt-4o'), environment).all[0]?.endpoint.headers).toContain(
      'Bearer sk-provider',
    );
    const elsewhere = build(model('a', 'model: openai/x, api_base: "https://other.example/v1"'), environment).all[0];
    expect(elsewhere?.endpoint.headers).toEqual([]);
    expect(elsewhere?.unusable).toBeNull();
  });

  it('missing make one deployment unusable and leave the rest', () => {
    const { all, messages } = build(
      'model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}, {model_name: b, litellm_params: {model: openai/gpt-4o, api_key: k}}]',
    );
    expect(all.map(({ unusable }) => unusable)).toEqual([
      'there is no api_key and the variable OPENAI_API_KEY is not set',
      null,
    ]);
    expect(messages[0]).toContain('a cannot be used until there is');
  });

  it('come by name from the file or the store', () => {
    const text = `credential_list: [{credential_name: one, credential_values: {api_key: from-list, api_base: "http://h/v1"}}]
${model('a', 'model: openai/x, litellm_credential_name: one')}`;
    const [written] = build(text).all;
    expect(written?.endpoint).toMatchObject({ origin: 'http://h', headers: ['authorization', 'Bearer from-list'] });
    const storedCredentials = new Map([['one', { api_key: 'from-store' }]]);
    expect(build(text, {}, { storedCredentials }).all[0]?.endpoint.headers).toContain('Bearer from-store');
  });

  it('that cannot be sent make the deployment unusable; a line break at the end is taken off', () => {
    const params = 'model: openai/x, api_key: os.environ/K';
    expect(build(model('a', params), { K: 'k\n' }).all[0]?.endpoint.headers).toContain('Bearer k');
    expect(build(model('a', params), { K: 'k\nx' }).all[0]?.unusable).toContain('cannot be sent in a header');
  });

  it('a Microsoft Entra token is used as the bearer', () => {
    const params = 'model: azure/gpt, api_base: "https://r.openai.azure.com", azure_ad_token: tok';
    expect(build(model('a', params)).all[0]?.endpoint.headers).toEqual(['authorization', 'Bearer tok']);
  });
});

describe('ids', () => {
  const two = (first: string, second: string) =>
    `model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o, ${first}}}, {model_name: a, litellm_params: {model: openai/gpt-4o, ${second}}}]`;

  it('are stable, differ between deployments, and do not follow the credential', () => {
    const ids = (text: string) => build(text).all.map(({ id }) => id);
    const before = ids(two('api_key: k1, rpm: 1', 'api_key: k2, rpm: 2'));
    expect(ids(two('rpm: 1, api_key: rotated', 'rpm: 2, api_key: k2'))).toEqual(before);
    expect(new Set(before).size).toBe(2);
    const twins = ids(two('api_key: k1', 'api_key: k2'));
    expect(new Set(twins).size).toBe(2);
  });

  it('given twice skip the second', () => {
    const info = ', model_info: {id: same}';
    const text = `model_list: [{model_name: a, litellm_params: {model: openai/x, api_key: k}${info}}, {model_name: b, litellm_params: {model: openai/y, api_key: k}${info}}]`;
    const { all, messages } = build(text);
    expect(all.map(({ group }) => group)).toEqual(['a']);
    expect(messages.some((message) => message.includes('the id same is taken'))).toBe(true);
  });
});

describe('wildcards', () => {
  const text = `model_list:
  - { model_name: "*", litellm_params: { model: "openai/*", api_key: k } }
  - { model_name: "openai/*", litellm_params: { model: "openai/*", api_key: k } }
  - { model_name: "openai/gpt-*", litellm_params: { model: "openai/gpt-*", api_key: k } }
  - { model_name: "fo::*:static::*", litellm_params: { model: "openai/*-*", api_key: k } }
`;
  const { snapshot } = build(text);

  it('stand most specific first', () => {
    expect(snapshot.wildcards.map(({ name }) => name)).toEqual(['fo::*:static::*', 'openai/gpt-*', 'openai/*', '*']);
    expect(snapshot.groups.size).toBe(0);
  });

  it('expand to the real model with its price', () => {
    const group = snapshot.wildcards[1]!.expand('openai/gpt-4o-mini')!;
    expect(group.name).toBe('openai/gpt-4o-mini');
    expect(group.deployments[0]).toMatchObject({
      id: snapshot.wildcards[1]!.deployments[0]!.id,
      model: 'gpt-4o-mini',
      price: { rates: { input: 150_000_000 } },
      limits: { inputTokensMax: 128_000 },
    });
    expect(snapshot.wildcards[1]!.expand('openai/gpt-4o-mini')).toBe(group);
    expect(snapshot.wildcards[1]!.expand('openai/o3')).toBeNull();
    expect(snapshot.wildcards[0]!.expand('fo::one:static::two')?.deployments[0]?.model).toBe('one-two');
    expect(snapshot.wildcards[0]!.expand('fo::one:static')).toBeNull();
  });
});

describe('settings', () => {
  it('router_settings win over litellm_settings', () => {
    const { snapshot } = build(`
router_settings: { num_retries: 1, timeout: 30, stream_timeout: 9, retry_policy: { TimeoutErrorRetries: 4 } }
litellm_settings: { num_retries: 5, allowed_fails: 2, cooldown_time: 1.5, request_timeout: 99, default_fallbacks: [x], max_budget: 10, budget_duration: daily, timezone: Europe/Berlin }
general_settings: { drain_timeout_seconds: 3, max_request_size_mb: 1, maximum_spend_logs_retention_period: 2d, timeouts: { idle_seconds: 7 } }
`);
    expect(snapshot.router).toMatchObject({
      retries: 1,
      allowedFails: 2,
      cooldownMs: 1500,
      retryPolicy: { Timeout: 4 },
    });
    expect(snapshot.router.defaultFallbacks).toEqual(['x']);
    expect(snapshot.settings).toMatchObject({
      timeouts: {
        connectMs: 5000,
        firstByteMs: 30_000,
        idleMs: 7000,
        attemptMs: 30_000,
        totalMs: 600_000,
        streamTotalMs: 9000,
      },
      drainMs: 3000,
      bodyBytesMax: 1_048_576,
      globalBudget: { cap: 10_000_000_000, duration: '1d', timezone: 'Europe/Berlin', scope: 'global' },
      cache: null,
    });
  });

  it('a deployment’s timeout bounds one try, and its first byte is not cut shorter', () => {
    const timeouts = (params: string) =>
      build(model('a', `model: openai/gpt-4o, api_key: k${params}`)).all[0]?.timeouts;
    expect(timeouts(', timeout: 20')).toEqual({ attemptMs: 20_000, firstByteMs: 20_000 });
    expect(timeouts(', timeout: 20, stream_timeout: "90"')).toEqual({
      attemptMs: 20_000,
      streamTotalMs: 90_000,
      firstByteMs: 90_000,
    });
    expect(timeouts('')).toEqual({});
  });

  it('deployment and provider budgets carry their ids', () => {
    const { all } = build(`router_settings: { provider_budget_config: { openai: { budget_limit: 1, time_period: 1d } } }
${model('a', 'model: openai/gpt-4o, api_key: k, max_budget: 2, budget_duration: 7d', 'id: d1')}`);
    expect(all[0]?.budgets).toMatchObject([
      { scope: 'deployment', id: 'd1', cap: 2_000_000_000, duration: '7d' },
      { scope: 'provider', id: 'openai', cap: 1_000_000_000, duration: '1d' },
    ]);
  });

  it('a price comes from the deployment, then base_model, then the catalogue', () => {
    const azure = 'model: azure/my-name, api_base: "https://r.openai.azure.com", api_key: k';
    const priceOf = (params: string, info: string) => build(model('a', params, info)).all[0]?.price;
    expect(priceOf(azure, 'base_model: azure/gpt-4o-mini')?.rates.input).toBe(150_000_000);
    expect(priceOf(azure, 'base_model: gpt-4o-mini')?.rates.input).toBe(150_000_000);
    expect(
      priceOf(`${azure}, input_cost_per_token: 0, output_cost_per_token: 0`, 'base_model: gpt-4o')?.rates.input,
    ).toBe(0);
    expect(priceOf(azure, 'id: x')).toBeNull();
  });

  it.each([
    ['self_hosted_free', 'http://10.0.0.5:8000/v1', true],
    ['self_hosted_free', 'https://llm.example.com/v1', false],
    ['refuse', 'http://10.0.0.5:8000/v1', false],
    ['free', 'https://llm.example.com/v1', true],
  ])('unpriced_models %s at %s', (rule, address, isFree) => {
    const { all } = build(`general_settings: {unpriced_models: ${rule}}
${model('a', `model: openai/nobody-knows, api_key: k, api_base: "${address}"`)}`);
    expect(all[0]?.price?.source).toBe(isFree ? 'assumed' : undefined);
  });
});

describe('stored models', () => {
  it('join the groups of the file', () => {
    const stored = {
      id: 's1',
      modelName: 'a',
      params: { model: 'openai/gpt-4o', api_key: 'k' },
      modelInfo: {},
      blocked: false,
    };
    const { entry } = readStoredModel(stored, {});
    const { snapshot } = build(model('a', 'model: openai/gpt-4o, api_key: k'), {}, { storedModels: [entry!] });
    expect(snapshot.groups.get('a')?.deployments.map(({ fromDatabase }) => fromDatabase)).toEqual([false, true]);
    expect(snapshot.deployments.get('s1')?.group).toBe('a');
  });
});

it('aliases and access groups are looked up by name', () => {
  const { snapshot } = build(`router_settings: { model_group_alias: { short: a, secret: { model: a, hidden: true } } }
${model('a', 'model: openai/gpt-4o, api_key: k', 'access_groups: [beta]')}`);
  expect(snapshot.aliases.get('short')).toEqual({ group: 'a', hidden: false });
  expect(snapshot.aliases.get('secret')).toEqual({ group: 'a', hidden: true });
  expect(snapshot.accessGroups.get('beta')).toEqual(['a']);
});

it('1,000 deployments are built in well under 50 ms', () => {
  const list = Array.from(
    { length: 1000 },
    (_, i) =>
      `  - {model_name: m${i % 300}, litellm_params: {model: openai/gpt-4o, api_key: k, rpm: ${i}, api_base: "http://h${i}/v1"}}`,
  );
  const { config } = loadConfigText(`model_list:\n${list.join('\n')}`, 'config.yaml', {});
  const once = () => {
    const before = process.cpuUsage();
    const { snapshot } = buildSnapshot({
      config: config!,
      directory: providerDirectory,
      catalogue,
      masterKey: null,
      version: 1,
    });
    expect(snapshot.deployments.size).toBe(1000);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  // Time of this process only, and the best of many: the machine that runs the tests is shared.
  expect(Math.min(...Array.from({ length: 12 }, once))).toBeLessThan(50);
});

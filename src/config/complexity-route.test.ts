import { describe, expect, it } from 'vitest';
import { providerDirectory } from '../providers/index.ts';
import { checkConfig } from './check.ts';

function checked(router: string) {
  const written = `
model_list:
  - {model_name: small, litellm_params: {model: openai/small, api_key: x, input_cost_per_token: 0, output_cost_per_token: 0, api_base: "http://127.0.0.1:9/v1"}}
  - {model_name: large, litellm_params: {model: openai/large, api_key: x, input_cost_per_token: 0, output_cost_per_token: 0, api_base: "http://127.0.0.1:9/v1"}}
  - model_name: smart
    litellm_params:
${router.replaceAll(/^/gm, '      ')}
`;
  const readText = () => written;
  return checkConfig('config.yaml', {}, { directory: providerDirectory, date: Date.UTC(2026, 0, 1), readText });
}

describe('complexity routers in a configuration', () => {
  it('lead to their groups, and are shown with them', () => {
    const { text, json, exitCode } = checked(`model: auto_router/complexity_router
complexity_router_config:
  tiers: {SIMPLE: small, COMPLEX: [large, {model_name: small}]}
complexity_router_default_model: large`);
    expect(json.diagnostics).toEqual([]);
    expect(exitCode).toBe(0);
    expect(json.routes.map(({ model }) => model)).toEqual(['small', 'large']);
    expect(text).toContain('router smart → SIMPLE small; COMPLEX large, small; otherwise large');
  });

  it('say of a group that does not exist, and of keys that are none', () => {
    const { json } = checked(`model: auto_router/complexity_router
complexity_router_config: {tiers: {SIMPLE: smal}, tier_boundary: {}}`);
    expect(json.diagnostics.map(({ message, nearest }) => [message, nearest])).toEqual([
      ['unknown key', 'tier_boundaries'],
      ['there is no model group smal', 'small'],
    ]);
  });

  it('that go by likeness lead to their default model, and say so', () => {
    const { json, exitCode } = checked(`model: auto_router/by_likeness
auto_router_config_path: router.json
auto_router_default_model: small
auto_router_embedding_model: large`);
    expect(exitCode).toBe(0);
    expect(json.complexityRouters).toEqual({ smart: { otherwise: ['small'] } });
    expect(json.diagnostics.map(({ severity, message }) => `${severity} ${message}`)).toContain(
      'notice this router is not active yet: every request goes to small',
    );
  });

  it('that lead nowhere are left out', () => {
    const { json, exitCode } = checked('model: auto_router/complexity_router');
    expect(exitCode).toBe(1);
    expect(json.diagnostics[0]).toMatchObject({
      severity: 'skipped',
      message: 'the router leads to no model group; smart skipped',
    });
  });
});

describe('use_litellm_proxy', () => {
  it('sends the model as it is written to the other gateway', () => {
    const { json } = checked(`model: anthropic/claude-sonnet-4-5
use_litellm_proxy: true
api_base: http://127.0.0.1:9`);
    expect(json.routes[2]).toMatchObject({ provider: 'litellm_proxy', upstreamModel: 'anthropic/claude-sonnet-4-5' });
  });
});

describe('mock_response', () => {
  it('needs no key, for nobody is called', () => {
    const { json } = checked('model: openai/gpt-4o\nmock_response: hello');
    expect(json.routes[2]).toMatchObject({ model: 'smart', unusable: null });
    expect(checked('model: openai/gpt-4o').json.routes[2]?.unusable).toMatch(/OPENAI_API_KEY is not set/);
  });
});

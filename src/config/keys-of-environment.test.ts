import { describe, expect, it } from 'vitest';
import { findModel } from '../gateway/routing/model-lookup.ts';
import { providerDirectory } from '../providers/index.ts';
import { bundledCatalogue } from './catalogue.ts';
import type { Environment } from './environment.ts';
import { loadConfigText } from './load.ts';
import { buildSnapshot } from './snapshot.ts';

function built(text: string, environment: Environment) {
  const { config } = loadConfigText(text, 'config.yaml', environment);
  const { snapshot, diagnostics } = buildSnapshot({
    config: config!,
    directory: providerDirectory,
    catalogue: bundledCatalogue(Date.UTC(2026, 0, 1)),
    masterKey: null,
    version: 1,
  });
  const asked = (name: string) =>
    findModel(snapshot, name)?.group.deployments.map(({ provider, model }) => [provider.id, model]);
  return { asked, snapshot, messages: diagnostics.map(({ message }) => message) };
}

const everything = 'model_list: [{model_name: "*", litellm_params: {model: "*", rpm: 7}}]';
const inferred = 'general_settings: {infer_model_from_keys: true}';
const keys = { OPENAI_API_KEY: 'one', ANTHROPIC_API_KEY: 'two', GROQ_API_KEY: ' ' };

describe('models of the keys in the environment', () => {
  it.each([everything, inferred])('are served by their providers’ names and bare: %s', (text) => {
    const { asked, messages } = built(text, keys);
    expect(asked('openai/gpt-4o')).toEqual([['openai', 'gpt-4o']]);
    expect(asked('gpt-4o-mini')).toEqual([['openai', 'gpt-4o-mini']]);
    expect(asked('claude-sonnet-4-5')).toEqual([['anthropic', 'claude-sonnet-4-5']]);
    expect(asked('groq/llama')).toBeUndefined();
    expect(asked('somebody/else')).toBeUndefined();
    expect(messages).toEqual([]);
  });

  it('have the settings of the entry', () => {
    expect([...built(everything, keys).snapshot.deployments.values()].every(({ rpm }) => rpm === 7)).toBe(true);
  });

  it('give way to what is written', () => {
    const own =
      '{model_name: "openai/*", litellm_params: {model: "openai/*", api_key: own, api_base: "http://127.0.0.1:9/v1"}}';
    const { snapshot } = built(`model_list: [${own}]\n${inferred}`, keys);
    expect(findModel(snapshot, 'openai/gpt-4o')?.group.deployments.map(({ apiBase }) => apiBase)).toEqual([
      'http://127.0.0.1:9/v1',
    ]);
  });

  it('are none without keys, which is said of an entry for them', () => {
    expect(built(everything, {}).messages).toEqual([expect.stringContaining('no key of a provider is set')]);
    expect(built(inferred, {})).toMatchObject({ messages: [] });
  });

  it('are not meant where the entry has a key of its own, which is for one provider', () => {
    const { messages } = built('model_list: [{model_name: "*", litellm_params: {model: "*", api_key: k}}]', keys);
    expect(messages).toEqual([expect.stringContaining('names no provider')]);
  });
});

describe('an entry with a list of organizations', () => {
  it('is a deployment for each of them', () => {
    const list =
      'model_list: [{model_name: a, litellm_params: {model: gpt-4o, api_key: k, organization: [org-1, org-2]}}]';
    const { snapshot } = built(list, {});
    const sent = [...snapshot.deployments.values()].map(({ endpoint }) => endpoint.headers.includes('org-2'));
    expect(sent).toEqual([false, true]);
    expect(snapshot.groups.get('a')?.deployments).toHaveLength(2);
  });
});

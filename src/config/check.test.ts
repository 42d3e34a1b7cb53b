import { describe, expect, it } from 'vitest';
import { providerDirectory } from '../providers/index.ts';
import { checkConfig } from './check.ts';

const sources = { directory: providerDirectory, date: Date.UTC(2026, 10, 1) };
const fixture = (name: string) => new URL(`./fixtures/${name}`, import.meta.url).pathname;

describe('check-config', () => {
  it('prints the effective routing of the reference configuration', () => {
    const { text, json, exitCode } = checkConfig(fixture('reference.yaml'), { OPENAI_API_KEY: 'sk-provider' }, sources);
    expect(exitCode).toBe(0);
    const lines = text.split('\n');
    const rule = lines.findIndex((line) => line.startsWith('─'));
    expect(lines[rule + 1]).toMatch(
      /^llama-4-scout +openai +meta-llama\/Llama-4-Scout-17B-16E-Instruct +http:\/\/vllm_host:8000\/v1 +- +0 +0 +gpt-4o-mini +[0-9a-f]{12}$/,
    );
    expect(lines[rule + 2]).toMatch(
      /^gpt-4o-mini +openai +gpt-4o-mini +https:\/\/api\.openai\.com\/v1 +- +0\.15 +0\.6 +- /,
    );
    expect(json).toMatchObject({ valid: true, strategy: 'cost-based-routing' });
    expect(json.routes[1]).toMatchObject({ inputPrice: 0.15, outputPrice: 0.6, priceSource: 'catalogue:openai' });
    expect(text + JSON.stringify(json)).not.toMatch(/sk-provider|dummy-key/);
  });

  it('ends with 1 for a file that is refused and for one that would lose a deployment', () => {
    const refused = checkConfig('x.yaml', {}, { ...sources, readText: () => 'model_list: 5' });
    expect(refused).toMatchObject({ exitCode: 1, json: { valid: false, routes: [] } });
    expect(refused.text).toBe(
      'error: x.yaml:1:13 model_list: found 5; expected a list of deployments\n\nx.yaml is not valid\n',
    );
    expect(checkConfig(fixture('broken.yaml'), {}, sources)).toMatchObject({ exitCode: 1, json: { valid: true } });
  });
});

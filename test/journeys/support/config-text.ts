/** One deployment's YAML lines under `model_list`. */
export function deployment(group: string, url: string, model: string, params: Record<string, unknown> = {}): string {
  const all = { model, api_base: `${url}/v1`, api_key: 'sk-upstream-secret-0123456789', ...params };
  const lines = Object.entries(all).map(([name, value]) => `      ${name}: ${JSON.stringify(value)}`);
  return `  - model_name: ${JSON.stringify(group)}\n    litellm_params:\n${lines.join('\n')}`;
}

/** A configuration with models whose output tokens cost so many dollars, and whose input is free; `m` alone for a figure. */
export function selling(url: string, dollars: number | Readonly<Record<string, number>>): string {
  const models = Object.entries(typeof dollars === 'number' ? { m: dollars } : dollars);
  const entries = models.map(([name, price]) =>
    deployment(name, url, `openai/${name}`, {
      api_key: 'none',
      input_cost_per_token: 0,
      output_cost_per_token: price,
    }),
  );
  return `model_list:\n${entries.join('\n')}\n`;
}

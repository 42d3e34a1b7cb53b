import type { Capabilities } from '../core/route.ts';
import type { Catalogue, CatalogueEntry } from './catalogue.ts';
import type { Diagnostic } from './diagnostic.ts';
import { Findings } from './findings.ts';
import { isAnsweredFree } from './model-mode.ts';
import { Origins } from './origin.ts';
import { readPriceSettings } from './price-settings.ts';
import { priceFromSettings } from './prices.ts';
import { isMap } from './read-file.ts';
import { describe } from './read-value.ts';
import type { Tree } from './yaml-tree.ts';

/**
 * Prices in LiteLLM's format: a JSON map of model names (with or without `provider/`) to `litellm_provider`, `mode`,
 * `max_input_tokens`, `max_output_tokens`, `supports_*` and price keys. An entry that is not valid is left out with an error;
 * text that is no such map refuses the file.
 */
export function readPriceFile(
  text: string,
  file: string,
): { catalogue: Catalogue | undefined; diagnostics: Diagnostic[] } {
  const refuse = (message: string) => ({
    catalogue: undefined,
    diagnostics: [{ severity: 'error' as const, file, line: 0, column: 0, path: '', message }],
  });
  let models: unknown;
  try {
    models = JSON.parse(text);
  } catch {
    return refuse('the price file is not JSON');
  }
  if (!isMap(models)) return refuse(`the price file holds ${describe(models)}; expected a map of model names`);
  const findings = new Findings(file, models, new Origins());
  const entries = new Map<string, CatalogueEntry>();
  for (const [name, model] of Object.entries(models)) {
    if (name === 'sample_spec') continue;
    const entry = readEntry(name, model, findings);
    if (entry !== undefined) entries.set(name.toLowerCase(), entry);
  }
  if (entries.size === 0) return refuse('the price file holds no valid model');
  const catalogue: Catalogue = {
    find(catalogueIds, model) {
      const bare = model.toLowerCase();
      for (const id of catalogueIds) {
        const entry = entries.get(`${id}/${bare}`);
        if (entry !== undefined) return entry;
      }
      return entries.get(bare);
    },
  };
  return { catalogue, diagnostics: findings.list };
}

function readEntry(name: string, model: unknown, findings: Findings): CatalogueEntry | undefined {
  if (!isMap(model)) {
    findings.add('skipped', [name], `found ${describe(model)}; entry skipped`, { expected: 'a map' });
    return undefined;
  }
  const settings = readPriceSettings(model, {}, [name], [name], findings);
  if (settings === undefined) return undefined;
  const mode = typeof model.mode === 'string' ? model.mode : null;
  const price = priceFromSettings(settings, null, isAnsweredFree(mode));
  return {
    price: price === null ? null : { ...price, source: `file:${name}` },
    inputTokensMax:
      wholeNumber(model.max_input_tokens) ?? (mode === 'embedding' ? wholeNumber(model.max_tokens) : null),
    outputTokensMax: wholeNumber(model.max_output_tokens) ?? (mode === 'chat' ? wholeNumber(model.max_tokens) : null),
    mode,
    capabilities: capabilitiesOf(model),
  };
}

function wholeNumber(value: unknown): number | null {
  const number = typeof value === 'string' ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) > 0 ? (number as number) : null;
}

const capabilityKeys: Readonly<Record<keyof Capabilities, string>> = {
  tools: 'supports_function_calling',
  vision: 'supports_vision',
  audio: 'supports_audio_input',
  files: 'supports_pdf_input',
  reasoning: 'supports_reasoning',
  jsonSchema: 'supports_response_schema',
};

/** `supports_*` flags as capabilities; what is not said stays unknown. */
export function capabilitiesOf(flags: Tree): Capabilities {
  const found: Record<string, boolean> = {};
  for (const [capability, key] of Object.entries(capabilityKeys)) {
    if (typeof flags[key] === 'boolean') found[capability] = flags[key];
  }
  return found;
}

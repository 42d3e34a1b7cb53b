import type { z } from 'zod';
import { keyFacts, typeName, unwrapped } from './field.ts';
import { inactiveKeys, isActive, type KeyTable } from './inactive.ts';
import { modelInfo } from './schema/model-info.ts';
import { modelParams } from './schema/model-params.ts';
import {
  gpuPriceKeys,
  perMillionKey,
  structuredPriceKeys,
  tokenPriceKeys,
  unitPriceKeys,
} from './schema/price-keys.ts';
import { type SectionName, sectionMeanings, sectionSchemas } from './schema/sections.ts';
import { pricedUnits } from './unit-rates.ts';

/** The configuration reference as Markdown, made from the schemas. */
export function configReference(): string {
  const out: string[] = [
    '# Configuration reference',
    '',
    'Made from the schemas by `npm run docs`; change the schemas, not this page.',
    '',
    'The file is YAML. Unknown keys are warnings, wrong values are errors; both come with line and column. Any text that is exactly',
    '`os.environ/NAME` is replaced by the variable `NAME`. “Not yet” keys are accepted and kept, and do nothing so far.',
    '',
    '## Sections',
    '',
    '| section | meaning | active |',
    '| --- | --- | --- |',
  ];
  for (const [name, meaning] of Object.entries(sectionMeanings)) {
    out.push(`| \`${name}\` | ${meaning} | ${activeText(isActive('sections', name))} |`);
  }
  out.push(
    '',
    '## `model_list[]`',
    '',
    '| key | type | default | meaning | active |',
    '| --- | --- | --- | --- | --- |',
  );
  out.push('| `model_name` | text | required | The name callers use; may hold `*`. | yes |');
  out.push('| `litellm_params` or `params` | map | required | How it is reached and what it may take, below. | yes |');
  out.push('| `model_info` | map |  | What is known about it, below. | yes |');
  out.push('', '### `litellm_params`', '');
  out.push('Other names are sent to the provider as request parameters; the value in a request wins.', '');
  out.push(...table(modelParams, 'model_params'));
  out.push('', '### `model_info`', '', ...table(modelInfo, true));
  out.push('', '### Prices', '', ...prices());
  for (const name of Object.keys(sectionSchemas) as SectionName[]) {
    const rows = table(
      sectionSchemas[name],
      name in inactiveKeys ? (name as KeyTable) : isActive('sections', name),
      name,
    );
    if (rows.length > 0) out.push('', `## \`${name}\``, '', sectionMeanings[name], '', ...rows);
  }
  return `${out.join('\n')}\n`;
}

type Row = readonly [key: string, type: string, fallback: string, meaning: string, active: string];

/** `active`: all of its keys, none, or as the table of that name says. */
function table(schema: z.core.$ZodType, active: KeyTable | boolean, section = ''): string[] {
  const rows: Row[] = [];
  collect(schema, '', section, (key) => (typeof active === 'boolean' ? active : isActive(active, key)), rows);
  if (rows.length === 0) return [];
  const lines = ['| key | type | default | meaning | active |', '| --- | --- | --- | --- | --- |'];
  for (const row of rows) lines.push(`| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  return lines;
}

/** Nested keys are written with dots, list items with `[]`, free names with `<name>`. */
function collect(
  wrapped: z.core.$ZodType,
  prefix: string,
  section: string,
  active: (key: string) => boolean,
  rows: Row[],
): void {
  const schema = unwrapped(wrapped);
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'array') collect(def.element, `${prefix}[]`, section, active, rows);
  else if (def.type === 'record')
    collect(def.valueType, `${prefix}${prefix === '' ? '' : '.'}<name>`, section, active, rows);
  else if (def.type === 'object') {
    for (const [key, field] of Object.entries(def.shape)) {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      const facts = keyFacts.get(field as z.ZodType);
      const table = `${section}.${prefix}`;
      const isOn =
        table in inactiveKeys
          ? isActive(table as KeyTable, key)
          : active(prefix === '' ? key : prefix.split(/[.[]/)[0]!);
      rows.push([`\`${path}\``, typeName(field), facts?.default ?? '', facts?.meaning ?? '', activeText(isOn)]);
      collect(field, path, section, active, rows);
    }
  }
}

function prices(): string[] {
  const lines = [
    'In US dollars; in `litellm_params` (wins) or `model_info`. Token prices also exist with `_above_<N>k_tokens` (for prompts of more',
    'than N thousand tokens the whole request is priced so) and with `_flex`, `_priority`, `_batches`. An input and an output price',
    'together stand alone; a single figure replaces the one of the price table.',
    '',
    '| key | for a million | price of | active |',
    '| --- | --- | --- | --- |',
  ];
  for (const [key, meaning] of Object.entries(tokenPriceKeys)) {
    const isOn = !/video|citation|output_cost_per_image/.test(key);
    lines.push(`| \`${key}\` | \`${perMillionKey(key)}\` | ${meaning} | ${activeText(isOn)} |`);
  }
  for (const [key, meaning] of Object.entries(gpuPriceKeys)) lines.push(`| \`${key}\` |  | ${meaning} | yes |`);
  for (const [key, meaning] of Object.entries(unitPriceKeys)) {
    lines.push(`| \`${key}\` |  | ${meaning} | ${activeText(pricedUnits.has(key))} |`);
  }
  for (const key of structuredPriceKeys) {
    const meaning = structuredMeanings[key];
    lines.push(`| \`${key}\` |  | ${meaning ?? 'kept as written'} | ${activeText(meaning !== undefined)} |`);
  }
  return lines;
}

const structuredMeanings: Readonly<Record<string, string>> = {
  search_context_cost_per_query: 'a web search; the medium size counts',
  off_peak_pricing:
    'tokens in some hours: `hours_utc` (`"16:30-00:30"`, or a list) with token prices, for requests that come in these hours; `weekdays` (1 = Monday to 7, or names, of `weekday_timezone`, UTC by default), and several such rules in `windows`',
  provider_specific_entry:
    "factors on all token prices, such as `{us: 1.1, fast: 6}`: Anthropic's `speed: fast` and the `inference_geo` of its answers",
  regional_processing_uplift_multiplier_eu: 'a factor on all token prices at `eu.api.openai.com`',
  regional_processing_uplift_multiplier_us: 'a factor on all token prices at `us.api.openai.com`',
  regional_endpoint_uplift_multiplier:
    'a factor on all token prices at an address of Vertex AI that is not the global one',
  tiered_pricing:
    'tokens by the length of the input: a list of `range: [from, to]` with token prices; the whole request is priced at the range with from < input ≤ to, above the last one at the last',
};

function activeText(isOn: boolean): string {
  return isOn ? 'yes' : 'not yet';
}

import type { Planned } from '../../core/exchange.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Operation } from '../../core/operation.ts';
import type { Deployment } from '../../core/route.ts';

/** Stands in where neither the caller nor the model's description says how long an answer may be. */
export const outputTokensUnknown = 131_072;

/** What is answered with figures, not with tokens. */
const generatesNothing: ReadonlySet<Operation> = new Set(['embedding', 'rerank', 'moderation']);

/** In the words of any provider's format. */
const limitNames = [
  'max_completion_tokens',
  'max_tokens',
  'max_output_tokens',
  'max_new_tokens',
  'maxOutputTokens',
  'maxTokens',
  'num_predict',
];

const outputFields = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const;

/** The most output tokens of one choice at a deployment. `imposed` is a lower maximum that the gateway writes itself. */
export function outputTokensMaxOf(planned: Planned, deployment: Deployment, imposed: number | null): number {
  if (generatesNothing.has(planned.operation)) return 0;
  const modelMax = deployment.limits.outputTokensMax ?? deployment.limits.inputTokensMax;
  if (losesItsLimit(deployment)) return modelMax ?? outputTokensUnknown;
  const asked = askedOutputTokens(planned, deployment);
  const own = modelMax === null ? (asked ?? outputTokensUnknown) : Math.min(asked ?? modelMax, modelMax);
  return imposed === null ? own : Math.min(own, imposed);
}

/** Whether a maximum may not reach the provider: neither the caller's nor the gateway's own counts then. */
function losesItsLimit({ additionalDropParams, traits }: Deployment): boolean {
  if (additionalDropParams.length === 0 && traits.unsupportedParams.length === 0) return false;
  return limitNames.some((name) => additionalDropParams.includes(name) || traits.unsupportedParams.includes(name));
}

/** How many answers may be made: the caller's number, or a larger one that the operator or a fallback entry writes. */
export function choicesOf({ facts, options }: Planned, { defaults, extraBody }: Deployment): number {
  let choices = Math.max(1, facts.choices, wholeNumber(defaults.n) ?? 0, wholeNumber(extraBody.n) ?? 0);
  for (const { overrides } of options.fallbacks ?? []) choices = Math.max(choices, wholeNumber(overrides.n) ?? 0);
  return choices;
}

function askedOutputTokens({ facts, options }: Planned, { defaults, extraBody }: Deployment): number | null {
  const own = facts.maxOutputTokens ?? limitIn(defaults);
  const added = limitIn(extraBody);
  // An addition may stand beside the caller's maximum, under another name, and the provider may take either.
  let asked = own === null ? added : Math.max(own, added ?? 0);
  if (asked === null) return null;
  for (const { overrides } of options.fallbacks ?? []) asked = Math.max(asked, limitIn(overrides) ?? 0);
  return asked;
}

function limitIn(body: JsonObject): number | null {
  let largest: number | null = null;
  for (const field of outputFields) {
    const value = wholeNumber(body[field]);
    if (value !== null) largest = Math.max(largest ?? 0, value);
  }
  return largest;
}

function wholeNumber(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

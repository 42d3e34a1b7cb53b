import type { ControlPlane } from '../../admin/control-plane.ts';
import { lifetimeEnd } from '../../core/duration.ts';
import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { formatDollars } from '../../core/money.ts';
import type { KeyBody } from './key-shape.ts';
import { keyBody } from './key-shape.ts';

/* What the operator says of keys that are made: values for those that do not say, and the most that one may have. */

const figures = ['max_budget', 'soft_budget', 'tpm_limit', 'rpm_limit', 'max_parallel_requests'] as const;
const durations = ['duration', 'budget_duration'] as const;

/** A new key as it is made: with the operator's values where it says nothing. Throws GatewayError for more than is allowed. */
export function withKeyRules(plane: Pick<ControlPlane, 'settings'>, body: KeyBody): KeyBody {
  const { keyDefaults, keyBounds } = plane.settings;
  if (keyDefaults === null && keyBounds === null) return body;
  const defaults = readRules(keyDefaults ?? {}, 'default_key_generate_params');
  const bounds = readRules(keyBounds ?? {}, 'upperbound_key_generate_params');
  const said = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined && value !== null));
  const asked = { ...body, ...defaults, ...said } as KeyBody;
  // Two spellings of one thing.
  if (said.max_budget_usd !== undefined && said.max_budget === undefined) delete asked.max_budget;
  refuseAbove(bounds, asked);
  const budgetSaid = asked.max_budget ?? asked.max_budget_usd ?? null;
  // Whoever names no limit gets the highest one.
  for (const name of [...figures, ...durations]) {
    if (bounds[name] === undefined || bounds[name] === null || (asked[name] ?? null) !== null) continue;
    if (name === 'max_budget' && budgetSaid !== null) continue;
    Object.assign(asked, { [name]: bounds[name] });
  }
  return asked;
}

/** A change of a key by somebody who is no administrator stays below what a new key may have; `null` would lift a limit. */
export function refuseWiderKey(plane: Pick<ControlPlane, 'settings'>, body: KeyBody): void {
  const { keyBounds } = plane.settings;
  if (keyBounds === null) return;
  const bounds = readRules(keyBounds, 'upperbound_key_generate_params');
  for (const name of [...figures, ...durations]) {
    if (body[name] === null && (bounds[name] ?? null) !== null) throw tooMuch(name, 'no limit', bounds);
  }
  refuseAbove(bounds, body);
}

function refuseAbove(bounds: KeyBody, asked: KeyBody): void {
  for (const name of figures) {
    const most = bounds[name] ?? null;
    const wanted = asked[name] ?? (name === 'max_budget' ? (asked.max_budget_usd ?? null) : null);
    if (most !== null && wanted !== null && wanted > most) throw tooMuch(name, shown(name, wanted), bounds);
  }
  for (const name of durations) {
    const most = bounds[name] ?? null;
    const wanted = asked[name] ?? null;
    if (most === null || wanted === null) continue;
    if (lengthOf(wanted) > lengthOf(most)) throw tooMuch(name, wanted, bounds);
  }
}

/** Milliseconds; what never ends is longer than everything. */
function lengthOf(text: string): number {
  try {
    return lifetimeEnd(text, 0) ?? Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function tooMuch(name: (typeof figures)[number] | (typeof durations)[number], wanted: string, bounds: KeyBody) {
  const most = bounds[name];
  return new GatewayError(
    'malformed_request',
    `${name} is over max limit set in config - user_value=${wanted}; max_value=${typeof most === 'number' ? shown(name, most) : most}`,
    { param: name },
  );
}

function shown(name: string, value: number): string {
  return name.endsWith('budget') ? formatDollars(value) : String(value);
}

function readRules(written: JsonObject, name: string): KeyBody {
  const { data, error } = keyBody.safeParse(written);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw new GatewayError(
    'malformed_request',
    `litellm_settings.${name} cannot be read, so no key is made: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

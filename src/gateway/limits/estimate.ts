import { chargeOf } from '../../core/charge.ts';
import type { Admitted, Planned } from '../../core/exchange.ts';
import { type Nanodollars, nanodollarsMax } from '../../core/money.ts';
import { fastTier, isFree, maximumRate, type Price, upperBoundOf } from '../../core/price.ts';
import type { Deployment } from '../../core/route.ts';
import type { UsageUnits } from '../../core/usage.ts';
import { addressed } from '../receive/call-address.ts';
import { asSent } from './as-sent.ts';
import { boundedAlike } from './bounded-alike.ts';
import { inputBytesOf, inputTokensMaxOf, searchesAssumed } from './input-bound.ts';
import { choicesOf, outputTokensMaxOf } from './output-bound.ts';

/** The upper bound of a request's cost, over every deployment it may reach. */
export interface CostBound {
  readonly amount: Nanodollars;
  /** Nothing it may reach ever costs anything: budgets are not asked. */
  readonly free: boolean;
  /** A reachable deployment without a price; counted as 0 in `amount`. */
  readonly unpriced: Deployment | null;
  /** A reachable deployment at which nothing bounds the input; counted by its bytes in `amount`. */
  readonly unbounded: Deployment | null;
}

/**
 * Bytes of the input, the caller's or the model's maximum output, times the dearest rates of each reachable deployment;
 * the dearest of these, as charged. `imposed` is a lower maximum of output tokens that the gateway writes itself.
 */
export function boundOf(
  planned: Planned,
  imposed: number | null,
  inputBytes = inputBytesOf(planned),
  reachable = planned.route.reachable,
): CostBound {
  let amount = 0;
  let free = true;
  let unpriced: Deployment | null = null;
  let unbounded: Deployment | null = null;
  const variants = variantsOf(planned);
  for (const deployment of boundedAlike(reachable)) {
    const { price } = deployment;
    if (price === null) {
      free = false;
      unpriced ??= deployment;
      continue;
    }
    if (isFree(price) && price.perWebSearchCall === 0) continue;
    free = false;
    for (const variant of variants.flatMap((one) => asSent(one, deployment))) {
      const inputTokens = inputTokensMaxOf(variant, deployment, inputBytes);
      if (inputTokens === null && maximumRate(price, 'input') > 0) unbounded ??= deployment;
      const outputTokens = outputTokensMaxOf(variant, deployment, imposed) * choicesOf(variant, deployment);
      const units = variant.facts.unitsMax ?? variant.facts.units;
      const searches = searchesOf(variant, price);
      const isFast = mayBeFast(variant, deployment);
      const listed = safeBound(price, inputTokens ?? inputBytes, outputTokens, searches, units, isFast);
      amount = Math.max(amount, safeCharge(listed, deployment, planned));
    }
  }
  return { amount, free, unpriced, unbounded };
}

/**
 * The request as it is, and as each fallback entry with fields of its own makes it: those may bring images, searches or
 * another maximum. Throws GatewayError('malformed_request') for fields that the format does not allow.
 */
function variantsOf(planned: Planned): readonly Planned[] {
  const variants = [planned];
  for (const { overrides } of planned.options.fallbacks ?? []) {
    if (Object.keys(overrides).length === 0) continue;
    const body = { ...planned.body, ...overrides };
    const { address, dialect } = planned;
    variants.push({ ...planned, body, facts: addressed(dialect.inspect(body, address), address) });
  }
  return variants;
}

/** The same at one deployment alone: what an attempt there may cost. */
export function boundAt(admitted: Admitted, deployment: Deployment): CostBound {
  return boundOf(admitted, admitted.clampedOutputTokens, undefined, [deployment]);
}

/** Its amount; with one deployment in reach, what was held at admission. */
export function amountAt(admitted: Admitted, deployment: Deployment): Nanodollars {
  return admitted.route.reachable.length === 1 ? admitted.bound : boundAt(admitted, deployment).amount;
}

function searchesOf({ facts }: Planned, price: Price): number {
  return price.perWebSearchCall === 0 ? 0 : (facts.webSearchCallsMax ?? searchesAssumed);
}

/** Anthropic's `speed`, from the caller or the operator. */
function mayBeFast({ body }: Planned, { defaults, extraBody }: Deployment): boolean {
  return body.speed === fastTier || defaults.speed === fastTier || extraBody.speed === fastTier;
}

/** More than a figure can hold is the most it can hold: nobody's budget has room for either. */
function safeBound(
  price: Price,
  inputTokens: number,
  outputTokens: number,
  searches: number,
  units: UsageUnits | undefined,
  isFast: boolean,
): Nanodollars {
  try {
    return upperBoundOf(price, inputTokens, outputTokens, searches, units, isFast);
  } catch {
    return nanodollarsMax;
  }
}

function safeCharge(listed: Nanodollars, deployment: Deployment, { snapshot }: Planned): Nanodollars {
  try {
    return chargeOf(listed, deployment.provider.id, snapshot.settings).charged;
  } catch {
    return nanodollarsMax;
  }
}

const clampedOutputTokensMin = 256;

/**
 * The largest maximum of output tokens whose bound fits into `room`, with that bound; null when not even 256 do, or when
 * a lower maximum would not help.
 */
export function largestFitting(
  planned: Planned,
  room: Nanodollars,
): { readonly outputTokens: number; readonly amount: Nanodollars } | null {
  if (planned.operation !== 'chat') return null;
  const inputBytes = inputBytesOf(planned);
  const amountOf = (outputTokens: number) => boundOf(planned, outputTokens, inputBytes).amount;
  let fits = clampedOutputTokensMin;
  if (amountOf(fits) > room) return null;
  let tooMany = fits;
  for (const deployment of boundedAlike(planned.route.reachable)) {
    tooMany = Math.max(tooMany, outputTokensMaxOf(planned, deployment, null) + 1);
  }
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (amountOf(middle) <= room) fits = middle;
    else tooMany = middle;
  }
  return { outputTokens: fits, amount: amountOf(fits) };
}

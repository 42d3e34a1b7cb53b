import { chargeOf } from './charge.ts';
import { dollarsFromNanodollars } from './money.ts';
import { priceAt } from './off-peak.ts';
import { type CostLine, costLines, costOf, type Price } from './price.ts';
import type { RequestRecord } from './request-record.ts';
import type { GatewaySettings } from './route.ts';

/** What a cost is made of, in US dollars. */
export interface CostSplit {
  readonly input: number;
  readonly output: number;
  /** Fees for the request and for searches. */
  readonly tools: number;
  /** Before discount and margin. */
  readonly original: number;
  readonly discount: number;
  readonly margin: number;
}

const inputClasses: ReadonlySet<CostLine['class']> = new Set([
  'input',
  'cache_read',
  'cache_write',
  'cache_write_1h',
  'input_audio',
  'input_image',
  'characters',
  'audio_ms',
  'queries',
  'pages',
]);

/** Rates are for a million tokens, in nano-dollars. */
const ratesPerDollar = 1e15;

/** null where the cost did not come about from tokens and rates: told by the provider, charged as held, free. */
export function costSplit(
  { usage, cost, provider, startedAt }: Pick<RequestRecord, 'usage' | 'cost' | 'provider' | 'startedAt'>,
  usualPrice: Price,
  settings: GatewaySettings,
): CostSplit | null {
  if (usage.providerCost !== undefined && usage.providerCost > 0) return null;
  const price = priceAt(usualPrice, startedAt);
  const listed = costOf(usage, price);
  const { charged, discount, margin } = chargeOf(listed, provider ?? '', settings);
  if (charged !== cost) return null;
  // Whole numbers are summed, and divided once: parts of dollars would not add up.
  const sides = { input: 0, output: 0 };
  for (const line of costLines(usage, price)) {
    sides[inputClasses.has(line.class) ? 'input' : 'output'] += line.tokens * line.rate;
  }
  return {
    input: sides.input / ratesPerDollar,
    output: sides.output / ratesPerDollar,
    tools: dollarsFromNanodollars(price.perRequest + usage.webSearchCalls * price.perWebSearchCall),
    original: dollarsFromNanodollars(listed),
    discount: dollarsFromNanodollars(discount),
    margin: dollarsFromNanodollars(margin),
  };
}

import type { OffPeak } from '../core/off-peak.ts';
import type { Price, PriceTier, TokenRates } from '../core/price.ts';

/** The price at an address that keeps the work in one region, where that costs more; elsewhere the usual one. */
export function priceAtAddress(price: Price | null, apiBase: string): Price | null {
  if (price?.regionalUplifts === undefined) return price;
  const { regionalUplifts, ...usual } = price;
  const uplift = upliftAt(hostOf(apiBase));
  const thousandths = uplift === undefined ? undefined : regionalUplifts[uplift];
  if (thousandths === undefined) return Object.freeze(usual);

  const raised = <Rates extends Partial<TokenRates>>(rates: Rates): Rates =>
    Object.freeze(
      Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, Math.ceil((rate * thousandths) / 1_000)])),
    ) as Rates;
  const raisedTiers = (tiers: Readonly<Record<string, TokenRates>>): Readonly<Record<string, TokenRates>> =>
    Object.freeze(Object.fromEntries(Object.entries(tiers).map(([name, rates]) => [name, raised(rates)])));
  const raisedTier = ({ aboveInputTokens, rates, serviceTiers }: PriceTier): PriceTier =>
    Object.freeze({
      aboveInputTokens,
      rates: raised(rates),
      ...(serviceTiers !== undefined && { serviceTiers: raisedTiers(serviceTiers) }),
    });
  const raisedHours = (offPeak: OffPeak): OffPeak => Object.freeze({ ...offPeak, rates: raised(offPeak.rates) });

  return Object.freeze({
    ...usual,
    rates: raised(usual.rates),
    tiers: usual.tiers.map(raisedTier),
    serviceTiers: raisedTiers(usual.serviceTiers),
    ...(usual.offPeak !== undefined && { offPeak: raisedHours(usual.offPeak) }),
  });
}

function upliftAt(host: string): 'eu' | 'us' | 'endpoint' | undefined {
  if (host === 'eu.api.openai.com') return 'eu';
  if (host === 'us.api.openai.com') return 'us';
  // Vertex AI: `europe-west1-aiplatform.googleapis.com`, `aiplatform.eu.rep.googleapis.com`; the global one has no region.
  return /^[a-z0-9-]+-aiplatform\.googleapis\.com$|^aiplatform\.[a-z]+\.rep\.googleapis\.com$/.test(host)
    ? 'endpoint'
    : undefined;
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname : '';
}

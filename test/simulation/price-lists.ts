import type { BudgetRule } from '../../src/core/limits.ts';
import type { Nanodollars } from '../../src/core/money.ts';
import type { Price } from '../../src/core/price.ts';
import type { Deployment, Snapshot } from '../../src/core/route.ts';
import { budget, deployment, snapshot, testProvider } from '../builders.ts';
import type { BilledTokens } from './provider.ts';
import type { SeededChance } from './seeded-chance.ts';

/** Nano-dollars per million tokens. */
interface Rates {
  readonly input: number;
  readonly cacheRead: number;
  readonly output: number;
  readonly reasoning: number;
  readonly perRequest: number;
}

/** Two deployments of one model and a spare: OpenAI, Anthropic, and one that goes on working when we hang up. */
const addresses = [
  { id: 'd1', group: 'm', provider: 'acme', dialect: 'openai-chat', path: '/chat/completions', stops: true },
  { id: 'd2', group: 'm', provider: 'beta', dialect: 'anthropic-messages', path: '/messages', stops: true },
  { id: 'd3', group: 'spare', provider: 'gamma', dialect: 'openai-chat', path: '/chat/completions', stops: false },
] as const;

export interface PriceList {
  readonly snapshot: Snapshot;
  readonly rates: ReadonlyMap<string, Rates>;
}

export interface ListSettings {
  readonly clamps: boolean;
  readonly caches: boolean;
  readonly hasUnpriced: boolean;
  /** Budgets of the second deployment and its provider. */
  readonly budgets: readonly BudgetRule[];
}

export function anySettings(chance: SeededChance): ListSettings {
  const capped = chance.happens(0.3);
  const cap = () => chance.pick([8_000, 40_000, 300_000]);
  return {
    clamps: chance.happens(0.3),
    caches: chance.happens(0.4),
    hasUnpriced: chance.happens(0.05),
    budgets: capped
      ? [
          budget({ scope: 'deployment', id: 'd2', label: 'd2', cap: cap(), duration: '5m' }),
          budget({ scope: 'provider', id: 'beta', label: 'beta', cap: cap(), duration: '1d' }),
        ]
      : [],
  };
}

/** The configuration with new prices; requests that began under an older one keep it. */
export function priceList(chance: SeededChance, settings: ListSettings, ratesOf = anyRates): PriceList {
  const rates = new Map(addresses.map(({ id }) => [id, ratesOf(chance)]));
  if (settings.hasUnpriced) rates.delete('d2');
  const deployments = addresses.map((address): Deployment => {
    const { id, group, dialect, path } = address;
    const own = rates.get(id);
    return deployment({
      id,
      group,
      model: 'up',
      apiBase: `http://${id}`,
      price: own === undefined ? null : priceOf(own),
      budgets: id === 'd2' ? settings.budgets : [],
      endpoint: { origin: `http://${id}`, path: () => path, headers: [], modelsPath: null },
      provider: {
        ...testProvider,
        id: address.provider,
        name: address.provider,
        dialects: { chat: [dialect] },
        usageInStream: dialect === 'openai-chat' ? 'stream_options' : 'always',
        stopsOnHangup: address.stops,
      },
    });
  });
  return {
    rates,
    snapshot: snapshot({
      deployments,
      router: {
        retries: 2,
        fallbacks: new Map([['m', ['spare']]]),
        cooldownMs: 1_000,
      },
      settings: {
        masterKeyHash: 'f'.repeat(64),
        clampOutputTokens: settings.clamps,
        timeouts: { connectMs: 1_000, firstByteMs: 4_000, idleMs: 4_000, totalMs: 12_000 },
        cache: settings.caches
          ? {
              operations: ['chat'],
              byDefault: true,
              ttlMs: 60_000,
              namespace: '',
              scope: 'team',
              bytesMax: 1_000_000,
            }
          : null,
      } as Partial<Snapshot['settings']>,
    }),
  };
}

export function stopsOnHangup(deploymentId: string): boolean {
  return addresses.find(({ id }) => id === deploymentId)!.stops;
}

export function anyRates(chance: SeededChance): Rates {
  const input = chance.between(100_000, 3_000_000);
  const output = chance.between(500_000, 5_000_000);
  return {
    input,
    cacheRead: Math.floor(input / chance.between(1, 10)),
    output,
    reasoning: chance.happens(0.5) ? output : output * 2,
    perRequest: chance.happens(0.2) ? chance.between(1, 300) : 0,
  };
}

function priceOf({ input, cacheRead, output, reasoning, perRequest }: Rates): Price {
  return {
    rates: { input, cacheRead, output, reasoning },
    tiers: [],
    serviceTiers: {},
    perRequest,
    perWebSearchCall: 0,
    source: 'config',
  };
}

/** S14: what tokens cost, written down a second time on purpose. */
export function costExpected(
  { input, cached, output, reasoning }: BilledTokens,
  rates: Rates | undefined,
): Nanodollars {
  if (rates === undefined || input + output === 0) return 0;
  const sum =
    BigInt(input - cached) * BigInt(rates.input) +
    BigInt(cached) * BigInt(rates.cacheRead) +
    BigInt(output - reasoning) * BigInt(rates.output) +
    BigInt(reasoning) * BigInt(rates.reasoning);
  return Number((sum + 999_999n) / 1_000_000n) + rates.perRequest;
}

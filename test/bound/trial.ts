import { chargeOf } from '../../src/core/charge.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { asAdmitted, type Planned } from '../../src/core/exchange.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { costOf, type Price, type TokenRates } from '../../src/core/price.ts';
import type { Deployment } from '../../src/core/route.ts';
import { dialects } from '../../src/dialects/index.ts';
import { requestBody, type Target } from '../../src/gateway/call/translate.ts';
import { boundOf } from '../../src/gateway/limits/estimate.ts';
import { deployment, gateway, options, planned, settings, snapshot, testProvider } from '../builders.ts';
import { SeededChance } from '../simulation/seeded-chance.ts';
import { invoiceOf } from './invoice.ts';
import { anyCap, anyRequest, type CallerFormat } from './requests.ts';
import { anyJson, anyText } from './texts.ts';

export type TrialResult =
  /** The bound held; how many times the invoice it was. */
  | { readonly kind: 'held'; readonly looseness: number }
  /** Nothing bounds it, so that it is refused under a hard budget. */
  | { readonly kind: 'unbounded' }
  /** Not a request, or one that cannot be sent there. */
  | { readonly kind: 'refused' };

const formats: readonly CallerFormat[] = [
  'openai-chat',
  'openai-chat',
  'openai-completions',
  'openai-embeddings',
  'anthropic-messages',
  'anthropic-messages',
];

/** One random request at a random deployment: throws when the provider may bill more than was held. */
export function trial(seed: number): TrialResult {
  const chance = new SeededChance(seed);
  const format = chance.pick(formats);
  const body = anyRequest(chance, format);
  const target = anyDeployment(chance, format);
  const overrides = format === 'openai-chat' && chance.happens(0.1) ? anyOverrides(chance) : null;
  if (overrides !== null) body.fallbacks = [{ model: 'spare', ...overrides }];
  const exchange = exchangeOf(chance, format, body, target, overrides);
  const bound = refusedAsNull(() => boundOf(exchange, null));
  const sent = refusedAsNull(() => sentTo(exchange, target, overrides));
  if (bound === null || sent === null) return { kind: 'refused' };
  if (bound.unbounded !== null) return { kind: 'unbounded' };
  const usage = invoiceOf(sent, target, chance);
  const { charged } = chargeOf(costOf(usage, target.price!), target.provider.id, exchange.snapshot.settings);
  if (charged > bound.amount) {
    throw new Error(
      `seed ${seed}: held ${bound.amount}, billed ${charged} for ${JSON.stringify(usage)} of ${JSON.stringify(sent).slice(0, 2_000)}`,
    );
  }
  return { kind: 'held', looseness: bound.amount / Math.max(1, charged) };
}

function exchangeOf(
  chance: SeededChance,
  format: CallerFormat,
  body: JsonObject,
  target: Deployment,
  overrides: JsonObject | null,
): Planned {
  const bytes = anyJson(chance, body);
  // What arrives is what the bytes say.
  const read = JSON.parse(bytes.toString()) as JsonObject;
  const dialect = dialects.get(format)!;
  const rules = settings({
    priceDiscounts: chance.happens(0.2) ? { acme: chance.pick([0.05, 0.29, 0.5, 1]) } : {},
    priceMargins: chance.happens(0.2)
      ? { global: { ratio: chance.pick([0, 0.07, 1.5]), fixed: chance.between(0, 500) } }
      : {},
  });
  const parts = planned({
    body: read,
    operation: dialect.operation,
    snapshot: snapshot({ deployments: [target], settings: rules }),
    options: { ...options, fallbacks: overrides === null ? null : [{ model: 'spare', overrides }] },
  });
  return { ...parts, body: read, dialect, bytes, facts: dialect.inspect(read) };
}

/** The body that the provider gets, or the one of the fallback. */
function sentTo(exchange: Planned, { provider, ...rest }: Deployment, overrides: JsonObject | null): JsonObject {
  const one = { provider, ...rest };
  const admitted = asAdmitted(exchange, {
    reservation: null,
    cache: null,
    bound: 0,
    clampedOutputTokens: null,
    rateReservation: null,
    admittedTick: 0,
  });
  const target: Target = {
    deployment: one,
    group: 'm',
    endpoint: one.endpoint,
    model: one.model,
    dialect: dialects.get(provider.dialects[exchange.operation]![0]!)!,
    speaks: provider.dialects[exchange.operation]![0]!,
    overrides,
  };
  const body = requestBody(gateway(), admitted, target);
  if (body instanceof Promise) throw new Error('a trial fetches nothing');
  return JSON.parse(body.toString()) as JsonObject;
}

function anyDeployment(chance: SeededChance, format: CallerFormat): Deployment {
  const spoken =
    format !== 'openai-embeddings' && chance.happens(0.3)
      ? chance.pick(['openai-chat', 'anthropic-messages'] as const)
      : format;
  const operation = format === 'openai-embeddings' ? 'embedding' : 'chat';
  const defaults: JsonObject = {};
  const extraBody: JsonObject = {};
  if (spoken === 'openai-chat') {
    if (chance.happens(0.1)) anyCap(chance, defaults, ['max_tokens', 'max_completion_tokens']);
    if (chance.happens(0.1)) anyCap(chance, extraBody, ['max_tokens', 'max_completion_tokens']);
    if (chance.happens(0.05))
      extraBody.tools = [{ type: 'function', function: { name: 'added', description: anyText(chance) } }];
    if (chance.happens(0.05)) defaults.response_format = { type: 'json_object' };
    if (chance.happens(0.05)) defaults.n = chance.between(1, 4);
  }
  return deployment({
    provider: { ...testProvider, dialects: { [operation]: [spoken] } },
    price: anyPrice(chance),
    defaults,
    extraBody,
    dropParams: true,
    limits: {
      inputTokensMax: chance.pick([null, 8_192, 131_072, 1_000_000]),
      outputTokensMax: chance.pick([null, 4_096, 16_384]),
    },
    traits: {
      reasoningModel: chance.happens(0.2),
      supportsJsonSchema: chance.happens(0.5),
      supportsImageUrls: true,
      unsupportedParams: [],
    },
  });
}

function anyOverrides(chance: SeededChance): JsonObject {
  const other = anyRequest(chance, 'openai-chat');
  const overrides: JsonObject = {};
  for (const [name, value] of Object.entries(other)) {
    if (name !== 'model' && chance.happens(0.4)) overrides[name] = value;
  }
  if (chance.happens(0.1)) overrides.max_tokens = null;
  return overrides;
}

function anyRates(chance: SeededChance): TokenRates {
  const rate = () => (chance.happens(0.1) ? 0 : chance.between(1, 10 ** chance.between(1, 11)));
  const rates: Record<string, number> = { input: rate(), output: rate() };
  for (const name of [
    'cacheRead',
    'cacheWrite',
    'cacheWriteLong',
    'inputAudio',
    'inputImage',
    'reasoning',
    'outputAudio',
  ]) {
    if (chance.happens(0.3)) rates[name] = rate();
  }
  return rates as unknown as TokenRates;
}

function anyPrice(chance: SeededChance): Price {
  const serviceTiers = (): Price['serviceTiers'] =>
    chance.happens(0.3) ? { flex: anyRates(chance), priority: anyRates(chance) } : {};
  const tiers = chance.happens(0.3) ? [50, 2_000, 200_000] : [];
  return {
    rates: anyRates(chance),
    tiers: tiers.map((aboveInputTokens) => ({
      aboveInputTokens,
      rates: anyRates(chance),
      serviceTiers: serviceTiers(),
    })),
    serviceTiers: serviceTiers(),
    perRequest: chance.happens(0.2) ? chance.between(0, 1_000_000) : 0,
    perWebSearchCall: chance.happens(0.3) ? chance.between(1, 30_000_000) : 0,
    source: 'config',
  };
}

function refusedAsNull<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof GatewayError) return null;
    throw cause;
  }
}

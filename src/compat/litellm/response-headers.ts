import type { RateLimitClaim } from '../../core/limits.ts';
import { formatDollars } from '../../core/money.ts';
import type { RateLimitReservation } from '../../core/ports.ts';
import type { DescribeReply, ReplyFacts } from '../../core/reply-facts.ts';

/** `version` is told as `x-litellm-version`: some clients only look whether it is there. */
export function createDescribeReply(version: string): DescribeReply {
  return (facts) => {
    const headers: string[] = ['x-litellm-call-id', facts.callId, 'x-litellm-version', version];
    writeOrigin(headers, facts);
    writeCost(headers, facts);
    writeTimes(headers, facts);
    if (facts.rateReservation !== null) writeRateLimits(headers, facts.rateReservation, facts);
    else writeProviderRateLimits(headers, facts);
    writeProviderHeaders(headers, facts);
    if (facts.clampedOutputTokens !== null) {
      headers.push('x-tollgate-clamped-max-tokens', String(facts.clampedOutputTokens));
    }
    writeError(headers, facts);
    return headers;
  };
}

function writeOrigin(headers: string[], { origin, router, timeoutMs, model }: ReplyFacts): void {
  if (origin === null || model === null) return;
  const { deployment } = origin;
  if (deployment !== null) {
    headers.push('x-litellm-model-id', safe(deployment.id));
    if (deployment.apiBase !== '') headers.push('x-litellm-model-api-base', safe(withoutQuery(deployment.apiBase)));
    const region = deployment.publicParams.region_name;
    if (typeof region === 'string') headers.push('x-litellm-model-region', safe(region));
  }
  headers.push(
    'x-litellm-model-group',
    safe(origin.group ?? model),
    'x-litellm-attempted-retries',
    String(origin.retries),
    'x-litellm-attempted-fallbacks',
    String(origin.fallbacks),
    'x-litellm-max-retries',
    String(deployment?.retries ?? router.retries),
    'x-litellm-max-fallbacks',
    String(router.fallbacksMax),
    'x-litellm-timeout',
    seconds(timeoutMs),
  );
  if (origin.cacheKey !== null && origin.cacheHit) headers.push('x-litellm-cache-key', safe(origin.cacheKey));
}

function writeCost(headers: string[], { cost, keySpend, keyBudget }: ReplyFacts): void {
  if (cost !== null) {
    headers.push('x-litellm-response-cost', formatDollars(cost.charged));
    if (cost.discount !== 0 || cost.margin !== 0) {
      headers.push('x-litellm-response-cost-original', formatDollars(cost.listed));
      if (cost.discount !== 0) headers.push('x-litellm-response-cost-discount-amount', formatDollars(cost.discount));
      if (cost.margin !== 0) headers.push('x-litellm-response-cost-margin-amount', formatDollars(cost.margin));
    }
  }
  if (keySpend !== null) headers.push('x-litellm-key-spend', formatDollars(keySpend));
  if (keyBudget !== null) headers.push('x-litellm-key-max-budget', formatDollars(keyBudget));
}

function writeTimes(headers: string[], { durationMs, overheadMs }: ReplyFacts): void {
  const overhead = milliseconds(overheadMs);
  headers.push(
    'x-litellm-response-duration-ms',
    milliseconds(durationMs),
    'x-litellm-overhead-duration-ms',
    overhead,
    'x-tollgate-overhead-ms',
    overhead,
  );
}

const scopeNames: Readonly<Partial<Record<RateLimitClaim['rule']['scope'], string>>> = { key: 'api_key' };
const metricNames = { requests: 'requests', tokens: 'tokens', parallel: 'max_parallel_requests' } as const;

/** The caller's own limits: each under its scope, and the tightest of the key's as the plain OpenAI-style headers. */
function writeRateLimits(
  headers: string[],
  { claims, remaining, resetAt }: RateLimitReservation,
  facts: ReplyFacts,
): void {
  for (const [index, { rule }] of claims.entries()) {
    const left = String(Math.max(0, remaining[index] ?? 0));
    const metric = metricNames[rule.metric];
    const names = namesOf(rule);
    headers.push(names.limit, String(rule.limit), names.remaining, left);
    if (rule.scope !== 'key' || rule.metric === 'parallel') continue;
    if (rule.model !== null)
      headers.push(`x-litellm-key-remaining-${metric}-${tokenOf(facts.model ?? rule.model)}`, left);
    else
      headers.push(
        rule.metric === 'requests' ? 'x-litellm-key-rpm-limit' : 'x-litellm-key-tpm-limit',
        String(rule.limit),
      );
  }
  for (const metric of ['requests', 'tokens'] as const) {
    const index = tightest(claims, remaining, metric);
    if (index < 0) continue;
    headers.push(
      `x-ratelimit-limit-${metric}`,
      String(claims[index]!.rule.limit),
      `x-ratelimit-remaining-${metric}`,
      String(Math.max(0, remaining[index]!)),
      `x-ratelimit-reset-${metric}`,
      isoTime(resetAt[index]!),
    );
  }
}

interface RateLimitNames {
  readonly limit: string;
  readonly remaining: string;
}

/** Rules live as long as a key is cached. */
const rateLimitNames = new WeakMap<RateLimitClaim['rule'], RateLimitNames>();

function namesOf(rule: RateLimitClaim['rule']): RateLimitNames {
  let names = rateLimitNames.get(rule);
  if (names === undefined) {
    const metric = metricNames[rule.metric];
    const scope = scopeNames[rule.scope] ?? rule.scope;
    const name = rule.model === null ? scope : rule.scope === 'key' ? 'model_per_key' : `model_per_${scope}`;
    names = { limit: `x-ratelimit-${name}-limit-${metric}`, remaining: `x-ratelimit-${name}-remaining-${metric}` };
    rateLimitNames.set(rule, names);
  }
  return names;
}

let lastTime = Number.NaN;
let lastText = '';

/** Requests and tokens of one moment are usually free again at one moment. */
function isoTime(time: number): string {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString();
    lastTime = time;
  }
  return lastText;
}

function tightest(claims: readonly RateLimitClaim[], remaining: readonly number[], metric: string): number {
  let found = -1;
  for (const [index, { rule }] of claims.entries()) {
    if (rule.metric === metric && (found < 0 || remaining[index]! < remaining[found]!)) found = index;
  }
  return found;
}

/** Families of the providers' own rate-limit headers, under the names that OpenAI clients read. */
const normalisedRateLimits: readonly (readonly [from: string, to: string])[] = ['requests', 'tokens'].flatMap(
  (metric) =>
    ['limit', 'remaining', 'reset'].flatMap(
      (figure) =>
        [
          [`x-ratelimit-${figure}-${metric}`, `x-ratelimit-${figure}-${metric}`],
          [`anthropic-ratelimit-${metric}-${figure}`, `x-ratelimit-${figure}-${metric}`],
        ] as const,
    ),
);

function writeProviderRateLimits(headers: string[], { origin }: ReplyFacts): void {
  const from = origin?.providerHeaders;
  if (from === null || from === undefined) return;
  for (const [theirs, ours] of normalisedRateLimits) {
    const value = from[theirs];
    if (typeof value === 'string' && value !== '') headers.push(ours, safe(value));
  }
}

/** Of no meaning to the caller, or about a connection that is not its own. */
const hopHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'content-encoding',
  'set-cookie',
  'location',
  'proxy-authenticate',
  'trailer',
  'upgrade',
]);
const providerHeadersMax = 60;

function writeProviderHeaders(headers: string[], { origin }: ReplyFacts): void {
  const from = origin?.providerHeaders;
  if (from === null || from === undefined) return;
  let written = 0;
  for (const name in from) {
    const value = from[name];
    if (hopHeaders.has(name) || typeof value !== 'string' || value === '') continue;
    if (++written > providerHeadersMax) return;
    headers.push(prefixed(name), safe(value));
  }
}

const prefixedNames = new Map<string, string>();
const prefixedNamesMax = 1_000;

function prefixed(name: string): string {
  let found = prefixedNames.get(name);
  if (found === undefined) {
    found = `llm_provider-${name}`;
    if (prefixedNames.size < prefixedNamesMax) prefixedNames.set(name, found);
  }
  return found;
}

function writeError(headers: string[], { error }: ReplyFacts): void {
  if (error === null) return;
  const { retryAfterSeconds, headers: more } = error.details;
  if (retryAfterSeconds !== undefined) headers.push('retry-after', String(Math.ceil(retryAfterSeconds)));
  if (more === undefined) return;
  for (const [name, value] of Object.entries(more)) headers.push(name, safe(value));
}

function milliseconds(amount: number): string {
  return String(Math.round(amount * 1_000) / 1_000);
}

function seconds(amountMs: number): string {
  return String(amountMs / 1_000);
}

function withoutQuery(address: string): string {
  const query = address.indexOf('?');
  return query < 0 ? address : address.slice(0, query);
}

/** A header may hold visible ASCII and spaces: anything else, above all CR and LF, is left out. */
function safe(value: string): string {
  return plain.test(value) ? value : value.replace(notPlain, '');
}

/** The part of a header's name that a model gives. */
function tokenOf(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '-');
}

const plain = /^[\x20-\x7e]*$/;
const notPlain = /[^\x20-\x7e]/g;

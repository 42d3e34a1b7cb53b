import { decimalText } from '../../core/decimal-text.ts';
import { headerLine, headerValue, isHeaderName } from '../../core/header-text.ts';
import type { RateLimitClaim } from '../../core/limits.ts';
import { formatDollars } from '../../core/money.ts';
import type { RateLimitReservation } from '../../core/ports.ts';
import type { DescribeReply, ReplyFacts } from '../../core/reply-facts.ts';
import type { Deployment } from '../../core/route.ts';

/*
 * Some fifty headers tell about every answer. They are written as text at once, and what does not change from one answer
 * to the next (names, limits, who answered) is kept as finished lines.
 */

/** `version` is told as `x-litellm-version`: some clients only look whether it is there. */
export function createDescribeReply(version: string): DescribeReply {
  const versionLine = headerLine('x-litellm-version', version);
  return (facts) => {
    let lines = `x-litellm-call-id: ${headerValue(facts.callId)}\r\n${versionLine}${originLines(facts)}`;
    lines += costLines(facts);
    lines += timeLines(facts);
    if (facts.rateReservation === null) lines += providerRateLimitLines(facts);
    else lines += rateLimitLines(facts.rateReservation, facts);
    lines += providerLines(facts);
    if (facts.clampedOutputTokens !== null) {
      lines += `x-tollgate-clamped-max-tokens: ${facts.clampedOutputTokens}\r\n`;
    }
    return facts.error === null ? lines : lines + errorLines(facts.error);
  };
}

/** What the lines about who answered depend on beside the deployment. */
interface KeptOrigin {
  readonly group: string;
  readonly retries: number;
  readonly fallbacks: number;
  readonly router: ReplyFacts['router'];
  readonly timeoutMs: number;
  readonly lines: string;
}

/** Nearly all answers of a deployment are alike in this: its last ones are kept. */
const keptOrigins = new WeakMap<Deployment, KeptOrigin>();

function originLines({ origin, router, timeoutMs, model }: ReplyFacts): string {
  if (origin === null || model === null) return '';
  const { deployment, retries, fallbacks } = origin;
  const group = origin.group ?? model;
  const kept = deployment === null ? undefined : keptOrigins.get(deployment);
  let lines: string;
  if (
    kept !== undefined &&
    kept.group === group &&
    kept.retries === retries &&
    kept.fallbacks === fallbacks &&
    kept.router === router &&
    kept.timeoutMs === timeoutMs
  ) {
    lines = kept.lines;
  } else {
    lines =
      (deployment === null ? '' : deploymentLines(deployment)) +
      headerLine('x-litellm-model-group', group) +
      headerLine('x-litellm-attempted-retries', String(retries)) +
      headerLine('x-litellm-attempted-fallbacks', String(fallbacks)) +
      headerLine('x-litellm-max-retries', String(deployment?.retries ?? router.retries)) +
      headerLine('x-litellm-max-fallbacks', String(router.fallbacksMax)) +
      headerLine('x-litellm-timeout', String(timeoutMs / 1_000));
    if (deployment !== null) keptOrigins.set(deployment, { group, retries, fallbacks, router, timeoutMs, lines });
  }
  if (origin.cacheKey === null || !origin.cacheHit) return lines;
  return lines + headerLine('x-litellm-cache-key', origin.cacheKey);
}

function deploymentLines({ id, apiBase, publicParams }: Deployment): string {
  const region = publicParams.region_name;
  return (
    headerLine('x-litellm-model-id', id) +
    (apiBase === '' ? '' : headerLine('x-litellm-model-api-base', withoutQuery(apiBase))) +
    (typeof region === 'string' ? headerLine('x-litellm-model-region', region) : '')
  );
}

function costLines({ cost, keySpend, keyBudget }: ReplyFacts): string {
  let lines = '';
  if (cost !== null) {
    lines = `x-litellm-response-cost: ${formatDollars(cost.charged)}\r\n`;
    if (cost.discount !== 0 || cost.margin !== 0) {
      lines += `x-litellm-response-cost-original: ${formatDollars(cost.listed)}\r\n`;
      if (cost.discount !== 0) {
        lines += `x-litellm-response-cost-discount-amount: ${formatDollars(cost.discount)}\r\n`;
      }
      if (cost.margin !== 0) {
        const net = cost.listed - cost.discount;
        lines += `x-litellm-response-cost-margin-amount: ${formatDollars(cost.margin)}\r\n`;
        if (net > 0) lines += `x-litellm-response-cost-margin-percent: ${milliseconds((100 * cost.margin) / net)}\r\n`;
      }
    }
  }
  if (keySpend !== null) lines += `x-litellm-key-spend: ${formatDollars(keySpend)}\r\n`;
  if (keyBudget !== null) lines += `x-litellm-key-max-budget: ${formatDollars(keyBudget)}\r\n`;
  return lines;
}

function timeLines({ durationMs, overheadMs }: ReplyFacts): string {
  const overhead = milliseconds(overheadMs);
  return `x-litellm-response-duration-ms: ${milliseconds(durationMs)}\r\nx-litellm-overhead-duration-ms: ${overhead}\r\nx-tollgate-overhead-ms: ${overhead}\r\n`;
}

const scopeNames: Readonly<Partial<Record<RateLimitClaim['rule']['scope'], string>>> = { key: 'api_key' };
const metricNames = { requests: 'requests', tokens: 'tokens', parallel: 'max_parallel_requests' } as const;

/** The caller's own limits: each under its scope, and the tightest of the key's as the plain OpenAI-style headers. */
function rateLimitLines(reservation: RateLimitReservation, facts: ReplyFacts): string {
  const { claims, remaining, resetAt } = reservation;
  let lines = '';
  let requests = -1;
  let tokens = -1;
  for (let index = 0; index < claims.length; index++) {
    const { rule } = claims[index]!;
    const left = remaining[index]!;
    const known = linesOf(rule);
    lines += known.beforeLeft + left + known.afterLeft;
    if (rule.scope === 'key' && rule.metric !== 'parallel' && rule.model !== null) {
      const model = tokenOf(facts.model ?? rule.model);
      lines += `x-litellm-key-remaining-${metricNames[rule.metric]}-${model}: ${left}\r\n`;
    }
    if (rule.metric === 'requests' && (requests < 0 || left < remaining[requests]!)) requests = index;
    else if (rule.metric === 'tokens' && (tokens < 0 || left < remaining[tokens]!)) tokens = index;
  }
  for (const tightest of [requests, tokens]) {
    if (tightest < 0) continue;
    const { beforeLimit, beforeReset } = linesOf(claims[tightest]!.rule);
    lines += beforeLimit + remaining[tightest]! + beforeReset + isoTime(resetAt[tightest]!);
    lines += '\r\n';
  }
  return lines;
}

/** A rule's lines around the one figure in them that changes. */
interface RuleLines {
  readonly beforeLeft: string;
  readonly afterLeft: string;
  /** The plain headers, where it is the tightest of its kind. */
  readonly beforeLimit: string;
  readonly beforeReset: string;
}

/** Rules live as long as a key is cached. */
const ruleLines = new WeakMap<RateLimitClaim['rule'], RuleLines>();

function linesOf(rule: RateLimitClaim['rule']): RuleLines {
  let known = ruleLines.get(rule);
  if (known === undefined) {
    const { limit } = rule;
    const metric = metricNames[rule.metric];
    const scope = scopeNames[rule.scope] ?? rule.scope;
    const name = rule.model === null ? scope : rule.scope === 'key' ? 'model_per_key' : `model_per_${scope}`;
    const ofKey = rule.scope === 'key' && rule.model === null && rule.metric !== 'parallel';
    known = {
      beforeLeft: `x-ratelimit-${name}-limit-${metric}: ${limit}\r\nx-ratelimit-${name}-remaining-${metric}: `,
      beforeLimit: `x-ratelimit-limit-${metric}: ${limit}\r\nx-ratelimit-remaining-${metric}: `,
      beforeReset: `\r\nx-ratelimit-reset-${metric}: `,
      afterLeft: ofKey ? `\r\nx-litellm-key-${rule.metric === 'requests' ? 'rpm' : 'tpm'}-limit: ${limit}\r\n` : '\r\n',
    };
    ruleLines.set(rule, known);
  }
  return known;
}

let lastSecond = Number.NaN;
let lastText = '';

/** ISO 8601 to the millisecond; the moments of a second begin alike. */
function isoTime(time: number): string {
  const second = Math.floor(time / 1_000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1_000).toISOString().slice(0, -'000Z'.length);
    lastSecond = second;
  }
  return `${lastText}${String(Math.floor(time) - second * 1_000).padStart(3, '0')}Z`;
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

function providerRateLimitLines({ origin }: ReplyFacts): string {
  const from = origin?.providerHeaders;
  if (from === null || from === undefined) return '';
  let lines = '';
  for (const [theirs, ours] of normalisedRateLimits) {
    const value = from[theirs];
    if (typeof value === 'string' && value !== '') lines += headerLine(ours, value);
  }
  return lines;
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

function providerLines({ origin }: ReplyFacts): string {
  const from = origin?.providerHeaders;
  if (from === null || from === undefined) return '';
  let lines = '';
  let written = 0;
  for (const name in from) {
    const value = from[name];
    if (typeof value !== 'string' || value === '') continue;
    const beginning = lineBeginning(name);
    if (beginning === '') continue;
    if (++written > providerHeadersMax) break;
    lines += beginning;
    lines += headerValue(value);
    lines += '\r\n';
  }
  return lines;
}

const lineBeginnings = new Map<string, string>();
const lineBeginningsMax = 1_000;

/** `llm_provider-NAME: `; empty for headers that are not passed on. */
function lineBeginning(name: string): string {
  let beginning = lineBeginnings.get(name);
  if (beginning === undefined) {
    beginning = hopHeaders.has(name) || !isHeaderName(name) ? '' : `llm_provider-${name}: `;
    if (lineBeginnings.size < lineBeginningsMax) lineBeginnings.set(name, beginning);
  }
  return beginning;
}

function errorLines(error: NonNullable<ReplyFacts['error']>): string {
  const { retryAfterSeconds, headers = {} } = error.details;
  let lines = retryAfterSeconds === undefined ? '' : `retry-after: ${Math.ceil(retryAfterSeconds)}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (isHeaderName(name) && !(name === 'retry-after' && retryAfterSeconds !== undefined))
      lines += headerLine(name, value);
  }
  return lines;
}

/** To the microsecond. */
function milliseconds(amount: number): string {
  return decimalText(Math.round(amount * 1_000), 3);
}

function withoutQuery(address: string): string {
  const query = address.indexOf('?');
  return query < 0 ? address : address.slice(0, query);
}

/** The part of a header's name that a model gives. */
function tokenOf(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '-');
}

import type { ByteWriter } from '../../core/byte-writer.ts';
import { headerLine, headerValue, isHeaderName } from '../../core/header-text.ts';
import type { RateLimitClaim } from '../../core/limits.ts';
import { formatDollars, type Nanodollars } from '../../core/money.ts';
import type { RateLimitReservation } from '../../core/ports.ts';
import type { DescribeReply, ReplyFacts } from '../../core/reply-facts.ts';
import type { Deployment } from '../../core/route.ts';

/*
 * Some fifty headers tell about every answer. They are written as bytes at once, and what does not change from one answer
 * to the next (names, limits, who answered) is kept as finished lines.
 */

/** `version` is told as `x-litellm-version`: some clients only look whether it is there. */
export function createDescribeReply(version: string): DescribeReply {
  const versionLine = Buffer.from(headerLine('x-litellm-version', version));
  return (facts, lines) => {
    lines.raw(names.callId);
    lines.latin1(headerValue(facts.callId));
    lines.raw(lineEnd);
    lines.raw(versionLine);
    writeOrigin(lines, facts);
    writeCosts(lines, facts);
    writeTimes(lines, facts);
    if (facts.rateReservation === null) writeProviderRateLimits(lines, facts);
    else writeRateLimits(lines, facts.rateReservation, facts);
    writeProviderHeaders(lines, facts);
    if (facts.clampedOutputTokens !== null) {
      lines.raw(names.clamped);
      lines.figure(facts.clampedOutputTokens);
      lines.raw(lineEnd);
    }
    if (facts.error !== null) lines.latin1(errorLines(facts.error));
  };
}

const lineEnd = Buffer.from('\r\n');
const name = (of: string) => Buffer.from(`${of}: `);
const names = {
  callId: name('x-litellm-call-id'),
  clamped: name('x-tollgate-clamped-max-tokens'),
  cost: name('x-litellm-response-cost'),
  listed: name('x-litellm-response-cost-original'),
  discount: name('x-litellm-response-cost-discount-amount'),
  margin: name('x-litellm-response-cost-margin-amount'),
  marginPercent: name('x-litellm-response-cost-margin-percent'),
  keySpend: name('x-litellm-key-spend'),
  keyBudget: name('x-litellm-key-max-budget'),
  duration: name('x-litellm-response-duration-ms'),
  overhead: name('x-litellm-overhead-duration-ms'),
  ownOverhead: name('x-tollgate-overhead-ms'),
};

/** What the lines about who answered depend on beside the deployment. */
interface KeptOrigin {
  readonly group: string;
  readonly retries: number;
  readonly fallbacks: number;
  readonly router: ReplyFacts['router'];
  readonly timeoutMs: number;
  readonly lines: Buffer;
}

/** Nearly all answers of a deployment are alike in this: its last ones are kept. */
const keptOrigins = new WeakMap<Deployment, KeptOrigin>();

function writeOrigin(lines: ByteWriter, { origin, router, timeoutMs, model }: ReplyFacts): void {
  if (origin === null || model === null) return;
  const { deployment, retries, fallbacks } = origin;
  const group = origin.group ?? model;
  const kept = deployment === null ? undefined : keptOrigins.get(deployment);
  if (
    kept !== undefined &&
    kept.group === group &&
    kept.retries === retries &&
    kept.fallbacks === fallbacks &&
    kept.router === router &&
    kept.timeoutMs === timeoutMs
  ) {
    lines.raw(kept.lines);
  } else {
    const written = Buffer.from(
      (deployment === null ? '' : deploymentLines(deployment)) +
        headerLine('x-litellm-model-group', group) +
        headerLine('x-litellm-attempted-retries', String(retries)) +
        headerLine('x-litellm-attempted-fallbacks', String(fallbacks)) +
        headerLine('x-litellm-max-retries', String(deployment?.retries ?? router.retries)) +
        headerLine('x-litellm-max-fallbacks', String(router.fallbacksMax)) +
        headerLine('x-litellm-timeout', String(timeoutMs / 1_000)),
    );
    lines.raw(written);
    if (deployment !== null) {
      keptOrigins.set(deployment, { group, retries, fallbacks, router, timeoutMs, lines: written });
    }
  }
  if (origin.cacheKey !== null && origin.cacheHit) lines.latin1(headerLine('x-litellm-cache-key', origin.cacheKey));
}

function deploymentLines({ id, apiBase, publicParams }: Deployment): string {
  const region = publicParams.region_name;
  return (
    headerLine('x-litellm-model-id', id) +
    (apiBase === '' ? '' : headerLine('x-litellm-model-api-base', withoutQuery(apiBase))) +
    (typeof region === 'string' ? headerLine('x-litellm-model-region', region) : '')
  );
}

function writeCosts(lines: ByteWriter, { cost, keySpend, keyBudget }: ReplyFacts): void {
  if (cost !== null) {
    writeDollars(lines, names.cost, cost.charged);
    if (cost.discount !== 0 || cost.margin !== 0) {
      writeDollars(lines, names.listed, cost.listed);
      if (cost.discount !== 0) writeDollars(lines, names.discount, cost.discount);
      if (cost.margin !== 0) {
        const net = cost.listed - cost.discount;
        writeDollars(lines, names.margin, cost.margin);
        if (net > 0) writeThousandths(lines, names.marginPercent, (100 * cost.margin) / net);
      }
    }
  }
  if (keySpend !== null) writeDollars(lines, names.keySpend, keySpend);
  if (keyBudget !== null) writeDollars(lines, names.keyBudget, keyBudget);
}

function writeDollars(lines: ByteWriter, of: Buffer, amount: Nanodollars): void {
  lines.raw(of);
  lines.latin1(formatDollars(amount));
  lines.raw(lineEnd);
}

function writeThousandths(lines: ByteWriter, of: Buffer, amount: number): void {
  lines.raw(of);
  lines.figure(Math.round(amount * 1_000) / 1_000);
  lines.raw(lineEnd);
}

/** To the microsecond. */
function writeTimes(lines: ByteWriter, { durationMs, overheadMs }: ReplyFacts): void {
  writeThousandths(lines, names.duration, durationMs);
  writeThousandths(lines, names.overhead, overheadMs);
  writeThousandths(lines, names.ownOverhead, overheadMs);
}

const scopeNames: Readonly<Partial<Record<RateLimitClaim['rule']['scope'], string>>> = { key: 'api_key' };
const metricNames = { requests: 'requests', tokens: 'tokens', parallel: 'max_parallel_requests' } as const;

/** The caller's own limits: each under its scope, and the tightest of the key's as the plain OpenAI-style headers. */
function writeRateLimits(lines: ByteWriter, reservation: RateLimitReservation, facts: ReplyFacts): void {
  const { claims, remaining } = reservation;
  let requests = -1;
  let tokens = -1;
  for (let index = 0; index < claims.length; index++) {
    const { rule } = claims[index]!;
    const left = remaining[index]!;
    const known = linesOf(rule);
    lines.raw(known.beforeLeft);
    lines.figure(left);
    lines.raw(known.afterLeft);
    if (rule.scope === 'key' && rule.metric !== 'parallel' && rule.model !== null) {
      const model = tokenOf(facts.model ?? rule.model);
      lines.latin1(`x-litellm-key-remaining-${metricNames[rule.metric]}-${model}: ${left}\r\n`);
    }
    if (rule.metric === 'requests' && (requests < 0 || left < remaining[requests]!)) requests = index;
    else if (rule.metric === 'tokens' && (tokens < 0 || left < remaining[tokens]!)) tokens = index;
  }
  if (requests >= 0) writeTightest(lines, reservation, requests);
  if (tokens >= 0) writeTightest(lines, reservation, tokens);
}

function writeTightest(lines: ByteWriter, { claims, remaining, resetAt }: RateLimitReservation, index: number): void {
  const { beforeLimit, beforeReset } = linesOf(claims[index]!.rule);
  lines.raw(beforeLimit);
  lines.figure(remaining[index]!);
  lines.raw(beforeReset);
  lines.latin1(isoTime(resetAt[index]!));
  lines.raw(lineEnd);
}

/** A rule's lines around the one figure in them that changes. */
interface RuleLines {
  readonly beforeLeft: Buffer;
  readonly afterLeft: Buffer;
  /** The plain headers, where it is the tightest of its kind. */
  readonly beforeLimit: Buffer;
  readonly beforeReset: Buffer;
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
    const keyLine = `x-litellm-key-${rule.metric === 'requests' ? 'rpm' : 'tpm'}-limit: ${limit}\r\n`;
    known = {
      beforeLeft: Buffer.from(
        `x-ratelimit-${name}-limit-${metric}: ${limit}\r\nx-ratelimit-${name}-remaining-${metric}: `,
      ),
      beforeLimit: Buffer.from(`x-ratelimit-limit-${metric}: ${limit}\r\nx-ratelimit-remaining-${metric}: `),
      beforeReset: Buffer.from(`\r\nx-ratelimit-reset-${metric}: `),
      afterLeft: Buffer.from(ofKey ? `\r\n${keyLine}` : '\r\n'),
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

function writeProviderRateLimits(lines: ByteWriter, { origin }: ReplyFacts): void {
  const from = origin?.providerHeaders;
  if (from === null || from === undefined) return;
  for (const [theirs, ours] of normalisedRateLimits) {
    const value = from[theirs];
    if (typeof value === 'string' && value !== '') lines.latin1(headerLine(ours, value));
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

function writeProviderHeaders(lines: ByteWriter, { origin }: ReplyFacts): void {
  const from = origin?.providerHeaders;
  if (from === null || from === undefined) return;
  let written = 0;
  for (const name in from) {
    const value = from[name];
    if (typeof value !== 'string' || value === '') continue;
    const beginning = lineBeginning(name);
    if (beginning.length === 0) continue;
    if (++written > providerHeadersMax) break;
    lines.raw(beginning);
    lines.latin1(headerValue(value));
    lines.raw(lineEnd);
  }
}

const lineBeginnings = new Map<string, Buffer>();
const lineBeginningsMax = 1_000;

/** `llm_provider-NAME: `; empty for headers that are not passed on. */
function lineBeginning(name: string): Buffer {
  let beginning = lineBeginnings.get(name);
  if (beginning === undefined) {
    beginning = Buffer.from(hopHeaders.has(name) || !isHeaderName(name) ? '' : `llm_provider-${name}: `);
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

function withoutQuery(address: string): string {
  const query = address.indexOf('?');
  return query < 0 ? address : address.slice(0, query);
}

/** The part of a header's name that a model gives. */
function tokenOf(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '-');
}

import { chargeAt } from '../core/charge.ts';
import type { Dialect } from '../core/dialect.ts';
import type { GatewayError } from '../core/errors.ts';
import {
  type Admitted,
  type Answered,
  asAnswered,
  type CacheHit,
  type Outcome,
  type Reply,
  type ReplyOrigin,
} from '../core/exchange.ts';
import type { NeutralResponse } from '../core/neutral.ts';
import { noUsage, type Usage } from '../core/usage.ts';
import { CallTally } from './call/call-tally.ts';
import { misfitOf } from './call/misfit.ts';
import { answerOptions } from './call/translate.ts';
import { Walk } from './call/walk.ts';
import type { WholeAnswer } from './call/whole-answer.ts';
import type { Gateway } from './gateway.ts';
import { amountAt } from './limits/estimate.ts';
import { keepsContent } from './record/kept-content.ts';
import { estimatedUsage } from './record/usage-estimate.ts';
import { noOrigin } from './refuse.ts';
import { noLines } from './reply-headers.ts';
import { paysHold } from './settle.ts';
import { LastingStream } from './streams/lasting-stream.ts';
import { replayedStream } from './streams/replay.ts';
import { StreamKeeper } from './streams/stream-keeper.ts';
import type { StreamEnd, StreamedAnswer } from './streams/streamed-answer.ts';

/** What a client that left would have been told (nginx's number for it). */
const clientClosedRequest = 499;
const jsonHeaders = ['content-type', 'application/json'] as const;

/**
 * Station 5: what the response cache knew, else the attempts in order. Resolves when the answer may leave: a whole body, the
 * first content of a stream, or the failure that is left when every target was tried. Never rejects for a provider's
 * or a caller's fault.
 */
export async function call(gateway: Gateway, admitted: Admitted): Promise<Answered> {
  const tally = new CallTally(gateway, admitted);
  tally.cacheKey = admitted.cache?.key ?? null;
  const hit = admitted.cache?.hit ?? null;
  if (hit !== null) return asAnswered(admitted, { reply: cachedReply(admitted, tally, hit) });
  const walk = new Walk(gateway, admitted, tally);
  const end = await walk.run();
  if (end.kind !== 'stream') walk.over();
  switch (end.kind) {
    case 'whole':
      return asAnswered(admitted, { reply: wholeReply(gateway, admitted, tally, end.answer) });
    case 'neutral':
      return asAnswered(admitted, { reply: neutralReply(gateway, admitted, tally, end.response) });
    case 'stream':
      return asAnswered(admitted, { reply: streamReply(gateway, admitted, tally, walk, end.stream, end.groupSize) });
    case 'failed':
      return asAnswered(admitted, { reply: failedReply(admitted, tally, end.error) });
    case 'gone':
      return asAnswered(admitted, { reply: goneReply(tally) });
  }
}

/** A slice of a session, whose answer went another way. */
export function answeredBySession(admitted: Admitted, outcome: Outcome): Answered {
  const { deployment, group, upstreamMs, error } = outcome;
  const origin = { ...noOrigin, deployment, group, upstreamMs, error };
  return asAnswered(admitted, { reply: wholeBody(jsonHeaders, new Uint8Array(0), origin, outcome) });
}

function wholeReply(gateway: Gateway, exchange: Admitted, tally: CallTally, answer: WholeAnswer): Reply {
  const { bytes, facts } = answer;
  tally.modelUsed = facts.model ?? tally.modelUsed;
  tally.firstTokenAt = gateway.clock.now();
  const usage = facts.usage ?? estimatedUsage(exchange, tally.deployment!, facts.outputBytes);
  const misfit = exchange.snapshot.settings.schemasChecked ? misfitOf(exchange, bytes) : null;
  if (misfit !== null) return misfitReply(exchange, tally, misfit, usage);
  keep(gateway, exchange, bytes, tally.modelUsed);
  const isText = answer.contentType === undefined || answer.contentType.startsWith('text/');
  const responseText = isText && keepsContent(exchange) ? Buffer.from(bytes).toString() : null;
  const outcome = tally.outcome('success', {
    httpStatus: answer.status ?? 200,
    usage,
    finishReason: facts.finishReason,
    responseText,
  });
  const headers = answer.contentType === undefined ? jsonHeaders : ['content-type', answer.contentType];
  return wholeBody(headers, bytes, tally.origin(null), outcome);
}

/** A mock's answer, or one JSON body where a stream was asked for. */
function neutralReply(gateway: Gateway, exchange: Admitted, tally: CallTally, response: NeutralResponse): Reply {
  tally.firstTokenAt = gateway.clock.now();
  const { bytes, headers } = toldWhole(exchange, tally, response);
  const usage = response.usage ?? estimatedUsage(exchange, tally.deployment!, bytes.length);
  const finishReason = response.choices[0]?.finishReason ?? null;
  const responseText = keepsContent(exchange) ? bytes.toString() : null;
  const outcome = tally.outcome('success', { httpStatus: 200, usage, finishReason, responseText });
  return wholeBody(headers, bytes, tally.origin(null), outcome);
}

function toldWhole(exchange: Admitted, tally: CallTally, response: NeutralResponse) {
  const { dialect, facts } = exchange;
  const options = answerOptions(exchange, tally.fallbacks > 0);
  if (facts.stream) return { bytes: replayedStream(dialect, response, options), headers: streamHeaders(dialect) };
  return { bytes: Buffer.from(JSON.stringify(dialect.response.encode(response, options))), headers: jsonHeaders };
}

function cachedReply(exchange: Admitted, tally: CallTally, hit: CacheHit): Reply {
  tally.modelUsed = hit.modelUsed;
  tally.group = exchange.model;
  const outcome = tally.outcome('success', {
    httpStatus: 200,
    usage: hit.usage,
    cacheHit: true,
    finishReason: hit.finishReason,
    responseText: keepsContent(exchange) ? hit.stored.toString() : null,
  });
  const headers = exchange.facts.stream ? streamHeaders(exchange.dialect) : jsonHeaders;
  return wholeBody(headers, hit.told, tally.origin(null, true), outcome);
}

function streamReply(
  gateway: Gateway,
  exchange: Admitted,
  tally: CallTally,
  walk: Walk,
  stream: StreamedAnswer,
  groupSize: number,
): Reply {
  const wantsContent = keepsContent(exchange);
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const firstTokenMs = firstTokenMsOf(stream);
  const keepsAnswer = exchange.operation === 'chat' && (ttlOf(exchange) !== null || wantsContent);
  const keeper = keepsAnswer ? new StreamKeeper(exchange.dialect, stream) : null;
  tally.firstTokenAt = stream.firstContentTick === null ? null : gateway.clock.now();
  tally.upstreamMs += firstTokenMs ?? 0;
  const origin = tally.origin(null);
  tally.upstreamMs -= firstTokenMs ?? 0;
  const over = (last: StreamedAnswer, { kind, error, brokeOff = false }: StreamEnd): void => {
    const { progress } = last.relay;
    const usage = last.handedOver ? usageOfGone(tally) : streamUsage(exchange, last);
    tally.modelUsed = progress.responseModel ?? tally.modelUsed;
    if (!last.handedOver) {
      const verdict = { error, ambiguous: false, gone: kind === 'aborted', usage, firstTokenMs: firstTokenMsOf(last) };
      tally.ended(last.attempt, verdict, groupSize);
    }
    walk.over();
    const whole =
      kind === 'success' ? (keeper?.whole(answerOptions(exchange, tally.fallbacks > 0), usage) ?? null) : null;
    if (whole !== null) keep(gateway, exchange, whole, tally.modelUsed);
    resolve(
      tally.outcome(kind, {
        httpStatus: kind === 'aborted' ? clientClosedRequest : 200,
        usage,
        error,
        brokeOff,
        finishReason: progress.finishReason,
        responseText: wantsContent ? (whole?.toString() ?? keeper?.text() ?? null) : null,
      }),
    );
  };
  const canLast = exchange.operation === 'chat' && exchange.snapshot.router.continuesStreams;
  const body = canLast ? lasting(stream) : stream;
  if (body === stream) stream.takenBy((end) => over(stream, end));
  const headers = streamHeaders(exchange.dialect, stream.relay.rawContentType);
  const status = exchange.passThrough === null ? 200 : (stream.attempt.status ?? 200);
  return { status, headers, headerLines: noLines, body, origin, outcome: promise };

  function lasting(first: StreamedAnswer): LastingStream {
    const goOn = async (broken: StreamedAnswer, error: GatewayError) => {
      const usage = streamUsage(exchange, broken);
      const { deployment } = broken.attempt.target;
      const { settings } = exchange.snapshot;
      const charged = paysHold(settings, deployment)
        ? amountAt(exchange, deployment)
        : chargeAt(usage, deployment, settings, exchange.receivedAt).charged;
      const verdict = { error, ambiguous: false, gone: false, usage, firstTokenMs: firstTokenMsOf(broken), charged };
      tally.ended(broken.attempt, verdict, groupSize);
      const next = await walk.goOn(broken, error);
      if (next !== null && keeper !== null) keeper.follow(next);
      return next;
    };
    const canGoOn = (broken: StreamedAnswer, error: GatewayError) => walk.canGoOn(broken, error);
    return new LastingStream(exchange, first, { canGoOn, goOn }, over);
  }
}

function firstTokenMsOf({ firstContentTick, attempt }: StreamedAnswer): number | null {
  return firstContentTick === null ? null : firstContentTick - attempt.startedTick;
}

/** What the provider said, else what can be counted. */
function streamUsage(exchange: Admitted, { relay, attempt }: StreamedAnswer): Usage {
  const { usage, usageComplete, outputBytes } = relay.progress;
  if (usage !== undefined && usageComplete) return usage;
  const estimate = estimatedUsage(exchange, attempt.target.deployment, outputBytes);
  return usage === undefined ? estimate : { ...usage, outputTokens: estimate.outputTokens, estimated: true };
}

function failedReply(exchange: Admitted, tally: CallTally, error: GatewayError): Reply {
  const body = Buffer.from(JSON.stringify(exchange.dialect.errors.encode(error, exchange.id)));
  const outcome = tally.outcome('failure', { httpStatus: error.status, error });
  return wholeBody(jsonHeaders, body, tally.origin(error), outcome);
}

/** An answer that was bought, and is not what was asked for. */
function misfitReply(exchange: Admitted, tally: CallTally, error: GatewayError, usage: Usage): Reply {
  const body = Buffer.from(JSON.stringify(exchange.dialect.errors.encode(error, exchange.id)));
  const outcome = tally.outcome('failure', { httpStatus: error.status, error, usage });
  return wholeBody(jsonHeaders, body, tally.origin(error), outcome);
}

/** Nobody is there to read it. What a provider had already read may be billed: as it said, or as `settle` counts it. */
function goneReply(tally: CallTally): Reply {
  const outcome = tally.outcome('aborted', { httpStatus: clientClosedRequest, usage: usageOfGone(tally) });
  return wholeBody(jsonHeaders, new Uint8Array(0), tally.origin(null), outcome);
}

/** What a provider had told when the client left before its first content. */
function usageOfGone({ usageSeen }: CallTally): Usage {
  return usageSeen === undefined ? noUsage : { ...usageSeen, outputTokens: 0, estimated: true };
}

function keep(gateway: Gateway, exchange: Admitted, body: Uint8Array, modelUsed: string | null): void {
  const ttlMs = ttlOf(exchange);
  if (ttlMs === null) return;
  const answer = { body, dialect: exchange.dialect.name, modelUsed, storedAt: gateway.clock.now() };
  gateway.cache.set(exchange.cache!.key, answer, ttlMs);
}

/** An answer that the gateway cut short, because no more fitted, is not for others. */
function ttlOf({ cache, clampedOutputTokens }: Admitted): number | null {
  return cache === null || clampedOutputTokens !== null ? null : cache.ttlMs;
}

function streamHeaders({ streamContentType }: Dialect, raw?: string): string[] {
  return ['content-type', raw ?? streamContentType ?? 'application/octet-stream', 'cache-control', 'no-cache'];
}

/** A reply whose outcome is known before it leaves. */
function wholeBody(headers: readonly string[], body: Uint8Array, origin: ReplyOrigin, outcome: Outcome): Reply {
  const status = outcome.httpStatus;
  return { status, headers, headerLines: noLines, body, origin, outcome: Promise.resolve(outcome) };
}

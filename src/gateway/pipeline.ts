import { asGatewayError } from '../core/errors.ts';
import type { Admitted, Answered, ByteSource, Outcome, Recall, Received, Reply } from '../core/exchange.ts';
import type { ReplyCost } from '../core/reply-facts.ts';
import type { Arrival } from './arrival.ts';
import { authenticate, credentialFirst } from './authenticate.ts';
import { call } from './call.ts';
import { countTokens } from './count-tokens.ts';
import type { Gateway } from './gateway.ts';
import { inBackground } from './kept/background.ts';
import { keepAnswer } from './kept/keep.ts';
import { recall } from './kept/recall.ts';
import { admitWithin } from './limits/budget-fallbacks.ts';
import { claimOnce, hasIdempotencyKey, type Once } from './once.ts';
import { plan } from './plan.ts';
import { beginRequest, receive, type Start } from './receive.ts';
import { record } from './record.ts';
import { noOrigin, refused } from './refuse.ts';
import { replayed } from './replayed.ts';
import { headerLinesOf } from './reply-headers.ts';
import { settle } from './settle.ts';
import { serveSeveral, severalModels } from './several-models.ts';
import { mirror } from './silent-models.ts';

export { refuse } from './refuse.ts';

/**
 * The journey of one request through the seven stations. Never throws: what goes wrong is an answer in the caller's
 * dialect. A whole answer is settled before it leaves, so that its headers can tell the cost; a stream when it is over.
 */
export async function serve(gateway: Gateway, arrival: Arrival): Promise<Reply> {
  const start = beginRequest(gateway, arrival);
  let journey: Received | null = null;
  let once: Once | null = null;
  try {
    const received = receive(gateway, arrival, start);
    journey = received;
    const found = authenticate(gateway, received, arrival.matched.route.routeGroups, arrival.onBehalfOf);
    const identified = found instanceof Promise ? await found : found;
    const { counting } = arrival.matched.route;
    const models = severalModels(identified);
    if (models !== null) return await serveSeveral(gateway, arrival, { start, identified, models }, serve);
    if (hasIdempotencyKey(received) && counting === undefined) {
      const claimed = await claimOnce(gateway, identified);
      if (claimed !== null && 'answer' in claimed) return replayed(gateway, start, identified, claimed);
      once = claimed;
    }
    const memory = arrival.memory ?? null;
    const goesOn = identified.dialect.continuation !== undefined;
    const recalled = goesOn ? await recall(gateway, identified, memory) : identified;
    const planned = plan(gateway, recalled);
    if (counting !== undefined) return await countTokens(gateway, start, planned, counting);
    const entered = admitWithin(gateway, recalled, planned);
    const admitted = entered instanceof Promise ? await entered : entered;
    if (recalled.recall?.wishes.background) return await receipt(gateway, start, admitted, recalled.recall, once);
    const answered = await call(gateway, admitted);
    if (answered.reply.origin.deployment?.silentModels.length) mirror(gateway, arrival, answered, serve);
    const reply = goesOn ? await keepAnswer(gateway, answered, answered.reply, memory) : answered.reply;
    if (reply.body instanceof Uint8Array) {
      const outcome = await reply.outcome;
      const cost = finish(gateway, answered, outcome);
      const { status, body } = reply;
      if (once !== null) await once.over(outcome, cost, { status, contentType: contentTypeOf(reply), body });
      return described(gateway, start, answered, reply, cost);
    }
    if (once !== null)
      return keptStream(gateway, answered, once, described(gateway, start, answered, reply, null), reply.body);
    reply.outcome.then((outcome) => finish(gateway, answered, outcome));
    return described(gateway, start, answered, reply, null);
  } catch (cause) {
    const error = asGatewayError(cause);
    if (once !== null) await (error.code === 'internal' ? once.lose() : once.giveUp());
    const told = journey === null ? await credentialFirst(gateway, arrival.headers, error) : error;
    return refused(gateway, arrival, start, journey, told);
  }
}

/** A stream under an idempotency key is remembered as it flows. */
function keptStream(gateway: Gateway, answered: Answered, once: Once, reply: Reply, body: ByteSource): Reply {
  answered.reply.outcome.then((outcome) =>
    once.streamOver(outcome, finish(gateway, answered, outcome), reply.status, contentTypeOf(reply)),
  );
  return { ...reply, body: once.teed(body) };
}

function contentTypeOf({ headers }: Reply): string {
  return headers[headers.indexOf('content-type') + 1] ?? 'application/json';
}

/** Stations 6 and 7. */
function finish(gateway: Gateway, answered: Answered, outcome: Outcome): ReplyCost | null {
  try {
    const { settled, cost } = settle(gateway, answered, outcome);
    record(gateway, settled);
    return cost;
  } catch (cause) {
    gateway.log.error('a request could not be settled', { requestId: answered.id, cause: String(cause) });
    return null;
  }
}

/** The caller gets a receipt; the rest of the journey is made without it. */
async function receipt(
  gateway: Gateway,
  start: Start,
  admitted: Admitted,
  recalled: Recall,
  once: Once | null,
): Promise<Reply> {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
  const queued = await inBackground(gateway, admitted, recalled, async () => {
    const answered = await call(gateway, admitted);
    const ended = await answered.reply.outcome;
    finish(gateway, answered, ended);
    resolve(ended);
    return answered.reply;
  });
  const body = Buffer.from(JSON.stringify(queued));
  const contentType = 'application/json';
  if (once !== null) await once.keep({ status: 200, contentType, body });
  const headerLines = headerLinesOf(gateway, { start, journey: admitted, origin: noOrigin, cost: null });
  return { status: 200, headers: ['content-type', contentType], headerLines, body, origin: noOrigin, outcome };
}

function described(gateway: Gateway, start: Start, answered: Answered, reply: Reply, cost: ReplyCost | null): Reply {
  const { status, headers, body, origin, outcome } = reply;
  const headerLines = headerLinesOf(gateway, { start, journey: answered, origin, cost });
  return { status, headers, headerLines, body, origin, outcome };
}

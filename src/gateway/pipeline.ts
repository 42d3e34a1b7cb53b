import { asGatewayError } from '../core/errors.ts';
import type { Answered, Outcome, Received, Reply } from '../core/exchange.ts';
import type { ReplyCost } from '../core/reply-facts.ts';
import { admit } from './admit.ts';
import type { Arrival } from './arrival.ts';
import { authenticate, credentialFirst } from './authenticate.ts';
import { call } from './call.ts';
import type { Gateway } from './gateway.ts';
import { plan } from './plan.ts';
import { beginRequest, receive, type Start } from './receive.ts';
import { record } from './record.ts';
import { refused } from './refuse.ts';
import { headersOf } from './reply-headers.ts';
import { settle } from './settle.ts';

export { refuse } from './refuse.ts';

/**
 * The journey of one request through the seven stations. Never throws: what goes wrong is an answer in the caller's
 * dialect. A whole answer is settled before it leaves, so that its headers can tell the cost; a stream when it is over.
 */
export async function serve(gateway: Gateway, arrival: Arrival): Promise<Reply> {
  const start = beginRequest(gateway, arrival);
  let journey: Received | null = null;
  try {
    const received = receive(gateway, arrival, start);
    journey = received;
    const identified = await authenticate(gateway, received, arrival.matched.route.routeGroups);
    const planned = plan(gateway, identified);
    const admitted = await admit(gateway, planned);
    const answered = await call(gateway, admitted);
    const { reply } = answered;
    if (reply.body instanceof Uint8Array) {
      return described(gateway, start, answered, finish(gateway, answered, await reply.outcome));
    }
    reply.outcome.then((outcome) => finish(gateway, answered, outcome));
    return described(gateway, start, answered, null);
  } catch (cause) {
    const error = asGatewayError(cause);
    const told = journey === null ? await credentialFirst(gateway, arrival.headers, error) : error;
    return refused(gateway, arrival, start, journey, told);
  }
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

function described(gateway: Gateway, start: Start, answered: Answered, cost: ReplyCost | null): Reply {
  const { status, headers, body, origin, outcome } = answered.reply;
  const more = headersOf(gateway, { start, journey: answered, origin, cost });
  return { status, headers: headers.concat(more), body, origin, outcome };
}

import { asGatewayError } from '../core/errors.ts';
import type { Answered, CallerHeaders, Reply } from '../core/exchange.ts';
import { editMembers } from '../core/json-members.ts';
import { silentModelTag } from '../core/request-record.ts';
import type { Arrival } from './arrival.ts';
import { masterKeyId } from './authenticate.ts';
import type { Gateway } from './gateway.ts';
import { Absent } from './kept/background.ts';
import { readOut } from './streams/read-out.ts';

/*
 * `silent_model`: what a deployment answered well is asked of other groups too, when the caller has its answer. Nobody gets
 * to see what comes back: it is on record, priced and timed, under the master key, so that no budget of the caller's pays.
 */

/** Silent requests at the same time, in one process; those beyond are left out. */
const runningMax = 100;

interface Running {
  count: number;
  leftOut: number;
}

const runningOf = new WeakMap<Gateway, Running>();

/** Begins once the answer is over and was a success; returns at once. */
export function mirror(
  gateway: Gateway,
  arrival: Arrival,
  answered: Answered,
  serve: (gateway: Gateway, arrival: Arrival) => Promise<Reply>,
): void {
  if (!canBeMirrored(arrival, answered)) return;
  void answered.reply.outcome.then(({ kind, deployment }) => {
    if (kind !== 'success' || deployment === null || gateway.background.isClosing) return;
    for (const model of deployment.silentModels) start(gateway, arrival, answered, model, serve);
  });
}

/** A conversation that is kept would be kept twice; a caller's own credentials are for the provider it named. */
function canBeMirrored(arrival: Arrival, { operation, dialect, passThrough, options }: Answered): boolean {
  return (
    arrival.isSilent !== true &&
    operation === 'chat' &&
    passThrough === null &&
    dialect.continuation === undefined &&
    Object.keys(options.connection).length === 0
  );
}

function start(
  gateway: Gateway,
  arrival: Arrival,
  answered: Answered,
  model: string,
  serve: (gateway: Gateway, arrival: Arrival) => Promise<Reply>,
): void {
  const running = runningOf.get(gateway) ?? { count: 0, leftOut: 0 };
  runningOf.set(gateway, running);
  if (running.count >= runningMax) {
    running.leftOut += 1;
    return;
  }
  if (running.leftOut > 0) {
    gateway.log.warn(`silent requests were left out: ${runningMax} were running`, { count: running.leftOut });
    running.leftOut = 0;
  }
  running.count += 1;
  const id = `${answered.id} ${model}`;
  const client = new Absent();
  gateway.background.begin(id, client);
  void serve(gateway, silentArrival(arrival, answered, model, client, gateway.clock.tick()))
    .then(({ body, outcome }) => {
      if (!(body instanceof Uint8Array)) readOut(body);
      return outcome;
    })
    .catch((cause: unknown) =>
      gateway.log.error('a silent request broke', { requestId: answered.id, reason: asGatewayError(cause).code }),
    )
    .finally(() => {
      running.count -= 1;
      gateway.background.end(id);
    });
}

/** What would be for the caller's own account, its end users' or its tags'. */
const leftOut = ['user', 'safety_identifier', 'metadata', 'litellm_metadata', 'tags', 'fallbacks', 'store'] as const;

/** The same question, streamed where it was, so that both can be told apart by nothing but who answers. */
function silentArrival(
  arrival: Arrival,
  { body, id, options, path }: Answered,
  model: string,
  client: Absent,
  arrivedTick: number,
): Arrival {
  const edits = new Map<string, unknown>(leftOut.map((field) => [field, undefined]));
  edits.set('cache', { 'no-cache': true, 'no-store': true });
  edits.set('disable_fallbacks', true);
  if (body.model !== undefined || arrival.matched.model === undefined) edits.set('model', model);
  return {
    matched: { ...arrival.matched, ...(arrival.matched.model !== undefined && { model }) },
    path,
    query: arrival.query,
    headers: silentHeaders(arrival.headers, id, options.sessionId),
    bytes: editMembers(arrival.bytes, edits),
    clientAddress: null,
    onBehalfOf: masterKeyId,
    client,
    arrivedTick,
    isSilent: true,
  };
}

/** Nothing of the caller's but what belongs to the format; what the two requests have in common finds them in records. */
function silentHeaders(headers: CallerHeaders, requestId: string, sessionId: string | null): CallerHeaders {
  const { 'anthropic-beta': beta, 'anthropic-version': version } = headers;
  return {
    ...(beta !== undefined && { 'anthropic-beta': beta }),
    ...(version !== undefined && { 'anthropic-version': version }),
    ...(sessionId !== null && { 'x-litellm-session-id': sessionId }),
    'x-litellm-tags': silentModelTag,
    'x-litellm-spend-logs-metadata': JSON.stringify({ is_silent_experiment: true, mirrors: requestId }),
  };
}

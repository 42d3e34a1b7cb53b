import { createHash } from 'node:crypto';
import { GatewayError } from '../core/errors.ts';
import type { CallerHeaders, ClientPresence, Identified, Reply } from '../core/exchange.ts';
import { headerLine } from '../core/header-text.ts';
import { editMembers } from '../core/json-members.ts';
import type { Arrival } from './arrival.ts';
import type { Gateway } from './gateway.ts';
import { flag } from './receive/option-values.ts';
import type { Start } from './receive.ts';
import { nothingBought } from './record/free-outcome.ts';
import { noOrigin } from './refuse.ts';
import { headerLinesOf } from './reply-headers.ts';

/*
 * `model: "a,b"`: the same question to several models at once. Each is a journey of its own, with its limits, its hold and
 * its row; what comes back is a list of all answers, or with `fastest_response` the first one that begins well.
 */

const modelsMax = 20;

type Serve = (gateway: Gateway, arrival: Arrival) => Promise<Reply>;

/** The models that a request names, where it names several; null for the others. A group whose name holds a comma stands for itself. */
export function severalModels({ facts, dialect, snapshot }: Identified): readonly string[] | null {
  const asked = facts.model;
  if (asked?.includes(',') !== true || dialect.name !== 'openai-chat') return null;
  if (snapshot.groups.has(asked) || snapshot.aliases.has(asked)) return null;
  const models = asked.split(',').map((name) => name.trim());
  if (models.includes('') || models.length > modelsMax || new Set(models).size !== models.length) {
    throw new GatewayError(
      'malformed_request',
      `model: a list of models names up to ${modelsMax} different ones, with commas between them.`,
      { param: 'model' },
    );
  }
  return models;
}

export async function serveSeveral(
  gateway: Gateway,
  arrival: Arrival,
  { start, identified, models }: { start: Start; identified: Identified; models: readonly string[] },
  serve: Serve,
): Promise<Reply> {
  const isRace = flag(identified.body, 'fastest_response') ?? false;
  if (!isRace && identified.facts.stream) {
    throw new GatewayError(
      'malformed_request',
      'stream: the answers of several models come as one list. Leave it out, or set fastest_response for the first one alone.',
      { param: 'stream' },
    );
  }
  const branches = models.map(() => new Branch());
  arrival.client.onGone(() => {
    for (const branch of branches) branch.leave();
  });
  const replies = models.map((model, index) => serve(gateway, branchOf(arrival, model, branches[index]!)));
  if (isRace) return fastest(replies, branches);
  return list(gateway, start, identified, await Promise.all(replies));
}

function branchOf(arrival: Arrival, model: string, client: Branch): Arrival {
  const edits = new Map<string, unknown>([
    ['model', model],
    ['fastest_response', undefined],
  ]);
  const matched = { ...arrival.matched, model: undefined };
  return {
    ...arrival,
    matched,
    bytes: editMembers(arrival.bytes, edits),
    headers: headersFor(arrival.headers, model),
    client,
  };
}

/** An idempotency key stands for one body: each model gets one made of it. */
function headersFor(headers: CallerHeaders, model: string): CallerHeaders {
  const key = headers['idempotency-key'];
  if (key === undefined) return headers;
  return {
    ...headers,
    'idempotency-key': createHash('sha256')
      .update(JSON.stringify([key, model]))
      .digest('hex'),
  };
}

/** The client, as one of the journeys sees it: it also leaves when another journey has won. */
class Branch implements ClientPresence {
  gone = false;
  #listener: (() => void) | null = null;

  onGone(listener: (() => void) | null): void {
    this.#listener = listener;
    if (this.gone) listener?.();
  }

  leave(): void {
    if (this.gone) return;
    this.gone = true;
    this.#listener?.();
  }
}

/** The first answer that begins well; the first refusal in the order of the names when none does. */
async function fastest(replies: readonly Promise<Reply>[], branches: readonly Branch[]): Promise<Reply> {
  const first = await new Promise<number | null>((resolve) => {
    let left = replies.length;
    for (const [index, reply] of replies.entries()) {
      void reply.then(({ status }) => {
        if (status < 400) resolve(index);
        else if (--left === 0) resolve(null);
      });
    }
  });
  if (first === null) return replies[0]!;
  for (const [index, branch] of branches.entries()) {
    if (index === first) continue;
    branch.leave();
    void replies[index]!.then(({ body }) => body instanceof Uint8Array || body.cancel());
  }
  const reply = await replies[first]!;
  const isFastest = Buffer.from(headerLine('x-litellm-fastest_response_batch_completion', 'true'));
  const headerLines = Buffer.concat([reply.headerLines, isFastest]);
  return { ...reply, headerLines };
}

/** All answers in the order of the names, a refusal in the place of an answer; that of the first when there is none else. */
function list(gateway: Gateway, start: Start, identified: Identified, replies: readonly Reply[]): Reply {
  if (replies.every(({ status }) => status >= 400)) return replies[0]!;
  const pieces: Uint8Array[] = [];
  for (const [index, { body }] of replies.entries()) pieces.push(index === 0 ? opening : between, body as Uint8Array);
  return {
    status: 200,
    headers: ['content-type', 'application/json'],
    headerLines: headerLinesOf(gateway, { start, journey: identified, origin: noOrigin, cost: null }),
    body: Buffer.concat([...pieces, closing]),
    origin: noOrigin,
    outcome: Promise.resolve(nothingBought(200, gateway.clock.now())),
  };
}

const opening = Buffer.from('[');
const between = Buffer.from(',');
const closing = Buffer.from(']');

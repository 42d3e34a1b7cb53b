import type { BodyEdits, Continuation, KeepingWishes } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { asRecalled, type Identified, type Recall } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import { editMembers } from '../../core/json-members.ts';
import type { Deployment } from '../../core/route.ts';
import type { Gateway } from '../gateway.ts';
import { addressed } from '../receive/call-address.ts';
import { Absent, requireBackground } from './background.ts';
import { isConversation, itemOf } from './conversation-items.ts';
import { answerOwnerOf } from './shelf.ts';

/** What a connection remembers of its own answers, kept or not. */
export interface ConnectionMemory {
  /** All items up to this answer; undefined when it was not given here. */
  recall(answerId: string): readonly JsonObject[] | undefined;
  remember(answerId: string, items: readonly JsonObject[]): void;
}

/** Something found that the request goes on from. */
interface Found {
  readonly items: readonly JsonObject[];
  readonly thread: string | null;
  readonly pinned: { readonly deployment: Deployment; readonly id: string } | null;
}

const nothing: Found = { items: [], thread: null, pinned: null };

/**
 * Between stations 2 and 3, for formats that go on from what was kept: the body gets the earlier items, or the provider's
 * own id for the earlier answer. A foreign id is answered like one that was never given.
 */
export async function recall(
  gateway: Gateway,
  identified: Identified,
  memory: ConnectionMemory | null,
): Promise<Identified> {
  const { dialect, body } = identified;
  const { continuation } = dialect;
  if (continuation === undefined) return identified;
  const wishes = continuation.wishes(body);
  const owner = answerOwnerOf(identified.snapshot.settings, identified.principal);
  const found = await findEarlier(gateway, identified, owner, wishes, memory);
  const edits =
    found.pinned === null ? continuation.withItems(body, found.items) : continuation.withAnswer(body, found.pinned.id);
  const { bytes, facts, client } = identified;
  const recalled = recallOf(gateway, identified, { continuation, owner, wishes, found, memory });
  const continued = edits.size === 0 ? { body, bytes, facts } : edited(identified, edits);
  if (wishes.background) requireBackground(gateway, continued, recalled);
  return asRecalled(identified, {
    ...continued,
    recall: recalled,
    client: wishes.background ? new Absent() : client,
  });
}

function edited(identified: Identified, edits: BodyEdits): Pick<Identified, 'body' | 'bytes' | 'facts'> {
  const { dialect, address } = identified;
  const members = new Map<string, unknown>(Object.entries(identified.body));
  for (const [name, value] of edits) {
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  const body = Object.fromEntries(members) as JsonObject;
  return {
    body,
    bytes: editMembers(identified.bytes, edits),
    facts: addressed(dialect.inspect(body, address), address),
  };
}

async function findEarlier(
  gateway: Gateway,
  { snapshot }: Identified,
  owner: string,
  { previousId, conversationId }: KeepingWishes,
  memory: ConnectionMemory | null,
): Promise<Found> {
  if (previousId !== undefined && conversationId !== undefined) {
    throw new GatewayError(
      'malformed_request',
      'previous_response_id and conversation cannot be used together: a conversation holds all that was said in it.',
      { param: 'previous_response_id' },
    );
  }
  const { kept } = gateway;
  if (conversationId !== undefined) {
    const items = kept === null ? undefined : await conversationItems(gateway, owner, conversationId);
    if (items === undefined) throw notFound('conversation', conversationId);
    return { ...nothing, items };
  }
  if (previousId === undefined) return nothing;
  const remembered = memory?.recall(previousId);
  if (remembered !== undefined) return { ...nothing, items: remembered };
  const native = gateway.answerIds.nativeOf(owner, previousId);
  if (native !== undefined) {
    const deployment = snapshot.deployments.get(native.deploymentId);
    if (deployment === undefined) throw notFound('previous_response_id', previousId);
    return { ...nothing, pinned: { deployment, id: native.id } };
  }
  const thread =
    kept !== null && gateway.answerIds.isOwn(previousId) ? await kept.thread(owner, previousId) : undefined;
  if (thread === undefined) throw notFound('previous_response_id', previousId);
  if (thread.isUnfinished) {
    const told = `Response '${previousId.slice(0, 80)}' is not finished: there is no output yet to go on from.`;
    throw new GatewayError('malformed_request', told, { param: 'previous_response_id' });
  }
  return { ...nothing, items: thread.items, thread: thread.root };
}

async function conversationItems(
  { kept }: Gateway,
  owner: string,
  id: string,
): Promise<readonly JsonObject[] | undefined> {
  const conversation = await kept!.find(owner, id);
  if (conversation === undefined || !isConversation(conversation)) return undefined;
  return (await kept!.children(owner, id)).map(itemOf);
}

function notFound(param: 'previous_response_id' | 'conversation', id: string): GatewayError {
  const what = param === 'conversation' ? 'Conversation' : 'Previous response';
  return new GatewayError(
    'previous_response_not_found',
    `${what} with id '${id.slice(0, 80)}' not found. It was deleted, its time is over, or it was not stored: ` +
      'send the whole conversation as input.',
    { param },
  );
}

function recallOf(
  gateway: Gateway,
  identified: Identified,
  parts: {
    readonly continuation: Continuation;
    readonly owner: string;
    readonly wishes: KeepingWishes;
    readonly found: Found;
    readonly memory: ConnectionMemory | null;
  },
): Recall {
  const { owner, wishes, found, memory } = parts;
  const { answerIds } = gateway;
  const asked = identified.body;
  const items = parts.continuation.items(asked);
  const ownId = answerIds.own(identified.id);
  return {
    owner,
    asked,
    items,
    thread: found.thread,
    previousId: wishes.previousId ?? null,
    conversationId: wishes.conversationId ?? null,
    wishes,
    pinned: found.pinned?.deployment ?? null,
    ownId,
    remembered: memory === null ? null : [...found.items, ...items],
    answerId: (keptBy) =>
      keptBy === null ? () => ownId : (id) => answerIds.native(owner, { deploymentId: keptBy.id, id }),
  };
}

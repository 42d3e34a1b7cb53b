import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { KeptObject } from '../../core/ports.ts';
import type { Gateway } from '../gateway.ts';
import { conversationKind, isConversation, itemKind, itemOf, withId } from '../kept/conversation-items.ts';
import { answerOwnerOf, type Shelf } from '../kept/shelf.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';
import { malformed, page } from './listing.ts';

/* `/v1/conversations`: always the gateway's own, so that a conversation may go on with any model. */

const itemsMax = 20;
const metadataMax = 16;

function shelfOf({ kept }: Gateway): Shelf {
  if (kept !== null) return kept;
  throw new GatewayError(
    'not_found',
    'This gateway keeps no conversations (general_settings.store_responses is false): send the whole conversation as input.',
  );
}

export async function createConversation(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const shelf = shelfOf(gateway);
  const metadata = metadataOf(call.body) ?? {};
  const items = itemsOf(gateway, call.body, false);
  const id = `conv_${call.id.slice(-36).replaceAll(/[^A-Za-z0-9]/g, '')}`;
  const created_at = Math.floor(gateway.clock.now() / 1_000);
  const conversation = { id, object: 'conversation', created_at, metadata };
  await shelf.put([object(gateway, call, conversation, null), ...itemObjects(gateway, call, id, items)]);
  return answered(conversation);
}

export async function getConversation(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered(itemOf(await found(gateway, call)));
}

export async function updateConversation(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const conversation = itemOf(await found(gateway, call));
  const metadata = metadataOf(call.body);
  if (metadata === undefined) throw malformed('metadata', 'required, an object of texts');
  const changed = { ...conversation, metadata };
  await shelfOf(gateway).put([object(gateway, call, changed, null)]);
  return answered(changed);
}

export async function deleteConversation(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { id } = await found(gateway, call);
  await shelfOf(gateway).remove([id]);
  return answered({ id, object: 'conversation.deleted', deleted: true });
}

export async function listItems(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { id } = await found(gateway, call);
  const items = await shelfOf(gateway).children(answerOwnerOf(call.snapshot.settings, call.principal), id);
  return answered(page(items.map(itemOf), call));
}

export async function addItems(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { id } = await found(gateway, call);
  const items = itemsOf(gateway, call.body, true);
  const added = itemObjects(gateway, call, id, items);
  await shelfOf(gateway).put(added);
  return answered(page(added.map(itemOf), { query: new URLSearchParams('order=asc&limit=100') }));
}

export async function getItem(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  await found(gateway, call);
  return answered(itemOf(await foundItem(gateway, call)));
}

export async function deleteItem(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const conversation = await found(gateway, call);
  const { id } = await foundItem(gateway, call);
  await shelfOf(gateway).remove([id]);
  return answered(itemOf(conversation));
}

async function found(gateway: Gateway, { principal, snapshot, params }: FreeCall): Promise<KeptObject> {
  const id = params[0] ?? '';
  const conversation = await shelfOf(gateway).find(answerOwnerOf(snapshot.settings, principal), id);
  if (conversation !== undefined && isConversation(conversation)) return conversation;
  throw new GatewayError('not_found', `Conversation with id '${id.slice(0, 80)}' not found.`, {
    param: 'conversation_id',
  });
}

async function foundItem(gateway: Gateway, { principal, snapshot, params }: FreeCall): Promise<KeptObject> {
  const id = params[1] ?? '';
  const item = await shelfOf(gateway).find(answerOwnerOf(snapshot.settings, principal), id);
  if (item !== undefined && item.parent === params[0]) return item;
  throw new GatewayError('not_found', `Item with id '${id.slice(0, 80)}' not found in this conversation.`, {
    param: 'item_id',
  });
}

function metadataOf({ metadata }: JsonObject): JsonObject | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  if (!isJsonObject(metadata)) throw malformed('metadata', 'expected an object of texts');
  const entries = Object.entries(metadata);
  if (entries.length > metadataMax) throw malformed('metadata', `at most ${metadataMax} members are kept`);
  if (entries.every(([, value]) => typeof value === 'string')) return metadata;
  throw malformed('metadata', 'every member must be a text');
}

/** What would be refused as the input of a request is not kept for one. */
function itemsOf(gateway: Gateway, { items }: JsonObject, isRequired: boolean): JsonObject[] {
  if ((items === undefined || items === null) && !isRequired) return [];
  if (!Array.isArray(items)) throw malformed('items', 'expected a list of items');
  if (items.length > itemsMax) throw malformed('items', `at most ${itemsMax} items are added at once`);
  try {
    gateway.dialects.get('openai-responses')?.inspect({ input: items });
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    throw new GatewayError(cause.code, cause.message.replace(/^input\b/, 'items'), { param: 'items' });
  }
  return items.filter(isJsonObject);
}

function itemObjects(gateway: Gateway, call: FreeCall, parent: string, items: readonly JsonObject[]): KeptObject[] {
  const unique = call.id.slice(-36).replaceAll(/[^A-Za-z0-9]/g, '');
  return items.map((item, index) => {
    // What callers name themselves could name somebody else's.
    const { id: _id, ...rest } = item;
    const content = typeof rest.content === 'string' ? { content: [{ type: 'input_text', text: rest.content }] } : {};
    return object(gateway, call, withId({ ...rest, ...content }, `${unique}${index}`), parent, index);
  });
}

function object(
  { clock }: Gateway,
  { principal, snapshot }: FreeCall,
  body: JsonObject,
  parent: string | null,
  index = 0,
): KeptObject {
  const now = clock.now();
  return {
    id: String(body.id),
    kind: parent === null ? conversationKind : itemKind,
    owner: answerOwnerOf(snapshot.settings, principal),
    parent,
    position: now * 1_000 + index,
    body: JSON.stringify(body),
    expiresAt: now + snapshot.settings.keptAnswers.keptMs,
  };
}

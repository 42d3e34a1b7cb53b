import type { AnswerWithoutOutput, BodyEdits, Continuation, KeepingWishes } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { parseEventData } from '../event-decoder.ts';
import { asItems } from './decode-request.ts';
import { conversationId } from './inspect.ts';
import { responseObject } from './response-object.ts';

function wishes(body: JsonObject): KeepingWishes {
  const previous = body.previous_response_id;
  return {
    previousId: typeof previous === 'string' && previous !== '' ? previous : undefined,
    conversationId: conversationId(body),
    keeps: body.store !== false,
    background: body.background === true,
  };
}

function items(body: JsonObject): JsonObject[] {
  return asItems(body.input, 'user').filter(isJsonObject);
}

/** Members that speak of what is kept; none of them may reach a provider that keeps something else. */
const namesOfKept = ['previous_response_id', 'conversation', 'background'];

function withItems(body: JsonObject, earlier: readonly JsonObject[]): BodyEdits {
  const edits = new Map<string, unknown>();
  for (const name of namesOfKept) if (Object.hasOwn(body, name)) edits.set(name, undefined);
  if (earlier.length > 0) edits.set('input', [...earlier.map(replayed), ...items(body)]);
  return edits;
}

/** Ids that the gateway gave to items mean nothing elsewhere; reasoning goes back to its provider as it was. */
function replayed(item: JsonObject): JsonObject {
  if (item.type !== 'message' && item.type !== undefined && !String(item.type).startsWith('function_call')) return item;
  const { id: _id, status: _status, ...rest } = item;
  return rest;
}

function withAnswer(body: JsonObject, id: string): BodyEdits {
  const edits = new Map<string, unknown>([['previous_response_id', id]]);
  if (Object.hasOwn(body, 'background')) edits.set('background', undefined);
  return edits;
}

function output(answer: JsonObject): JsonObject[] {
  return Array.isArray(answer.output) ? answer.output.filter(isJsonObject) : [];
}

const lastTypes = ['response.completed', 'response.incomplete'];

function lastAnswer(data: string): JsonObject | undefined {
  // Other events are many, and this is the longest of them.
  if (!lastTypes.some((type) => data.includes(type))) return undefined;
  const event = parseEventData(data);
  if (event === undefined || !lastTypes.includes(String(event.type))) return undefined;
  return isJsonObject(event.response) ? event.response : undefined;
}

function withoutOutput({ id, request, model, status, error, createdAt }: AnswerWithoutOutput): JsonObject {
  const facts = { id, model, createdAt, output: [], usage: undefined, finish: undefined };
  const options = { model: undefined, usageInStream: true, requestId: id, createdAt, request: { body: request } };
  return {
    ...responseObject(facts, options),
    status,
    background: request.background === true,
    ...(error === null ? {} : { error: { code: 'server_error', message: error.message } }),
  };
}

export const continuation: Continuation = { wishes, items, withItems, withAnswer, output, lastAnswer, withoutOutput };

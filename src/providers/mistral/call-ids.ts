import { createHash } from 'node:crypto';
import type { BodyEdits } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/*
 * Mistral refuses ids of tool calls that are not nine letters or digits ("must be a-z, A-Z, 0-9, with a length of 9"): others'
 * ids, in a history that began elsewhere, get ones that fit.
 */

const idLength = 9;
const idForm = /^[a-zA-Z0-9]{9}$/;
const signs = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const unchanged: BodyEdits = new Map();

/** The history under ids that Mistral takes: one id is always the same one, and no two become one. */
export function fittingCallIds(body: JsonObject): BodyEdits {
  const { messages } = body;
  if (!Array.isArray(messages)) return unchanged;
  const kept = new Set<string>();
  const foreign = new Set<string>();
  for (const id of idsIn(messages)) (idForm.test(id) ? kept : foreign).add(id);
  if (foreign.size === 0) return unchanged;
  const fitting = new Map<string, string>();
  for (const id of foreign) {
    let made = fittingId(id, 0);
    for (let tries = 1; kept.has(made); tries += 1) made = fittingId(id, tries);
    kept.add(made);
    fitting.set(id, made);
  }
  return new Map([['messages', messages.map((message) => renamed(message, fitting))]]);
}

function* idsIn(messages: readonly Json[]): Generator<string> {
  for (const message of messages) {
    if (!isJsonObject(message)) continue;
    if (typeof message.tool_call_id === 'string') yield message.tool_call_id;
    if (!Array.isArray(message.tool_calls)) continue;
    for (const call of message.tool_calls) if (isJsonObject(call) && typeof call.id === 'string') yield call.id;
  }
}

function renamed(message: Json, fitting: ReadonlyMap<string, string>): Json {
  if (!isJsonObject(message)) return message;
  const { tool_calls: calls } = message;
  const own = withId(message, 'tool_call_id', fitting);
  if (!Array.isArray(calls)) return own;
  return { ...own, tool_calls: calls.map((call) => (isJsonObject(call) ? withId(call, 'id', fitting) : call)) };
}

function withId(object: JsonObject, name: string, fitting: ReadonlyMap<string, string>): JsonObject {
  const id = object[name];
  const made = typeof id === 'string' ? fitting.get(id) : undefined;
  return made === undefined ? object : { ...object, [name]: made };
}

/** About 53 bits of a hash. */
function fittingId(id: string, tries: number): string {
  let rest = createHash('sha256').update(`${tries}:${id}`).digest().readBigUInt64BE();
  let made = '';
  while (made.length < idLength) {
    made += signs[Number(rest % 62n)];
    rest /= 62n;
  }
  return made;
}

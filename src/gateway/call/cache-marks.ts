import type { Askable } from '../../core/exchange.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { CacheMarkPoint } from '../../core/route.ts';

/*
 * Marks up to which a provider is to remember a prompt, set where the operator says so for callers that set none
 * (`cache_control_injection_points`). They are written into the caller's own body, so that every format they reach has them.
 */

/** A provider takes no more in one request. */
const marksMax = 4;
const usual: JsonObject = Object.freeze({ type: 'ephemeral' });

/** What takes the place of members of the caller's body, marks included; null where nothing does. */
export function withMarks(
  exchange: Askable,
  points: readonly CacheMarkPoint[],
  overrides: JsonObject | null,
): JsonObject | null {
  const own = markedMembers(exchange, points);
  return own === null ? overrides : { ...own, ...overrides };
}

/** Members of the caller's body that get marks; null where there is nothing to do. */
function markedMembers({ dialect, operation, body }: Askable, points: readonly CacheMarkPoint[]): JsonObject | null {
  if (operation !== 'chat' || (dialect.name !== 'openai-chat' && dialect.name !== 'anthropic-messages')) return null;
  const messages = Array.isArray(body.messages) ? body.messages : [];
  // Who marks prompts, knows which.
  if (JSON.stringify([body.system ?? null, messages]).includes('"cache_control"')) return null;
  const marks = new Map<number, JsonObject>();
  let system: Json | undefined;
  for (const { role, index, control } of points) {
    const mark = control ?? usual;
    if (role === 'system' && body.system !== undefined && index === null) system = marked(body.system as Json, mark);
    const at = index === null ? null : index < 0 ? messages.length + index : index;
    for (const [position, message] of messages.entries()) {
      const isMeant =
        at === null ? role === roleOf(message) : at === position && (role === null || role === roleOf(message));
      if (isMeant) marks.set(position, mark);
    }
  }
  const room = marksMax - (system === undefined ? 0 : 1);
  const chosen = new Set([...marks.keys()].sort((one, other) => one - other).slice(-room));
  if (chosen.size === 0) return system === undefined ? null : { system };
  const told = messages.map((message, position) => {
    if (!chosen.has(position) || !isJsonObject(message)) return message as Json;
    return { ...message, content: marked(message.content as Json, marks.get(position)!) };
  });
  return { ...(system === undefined ? {} : { system }), messages: told };
}

function roleOf(message: unknown): unknown {
  return isJsonObject(message) ? message.role : undefined;
}

/** Text becomes a block with the mark; of several blocks the last one has it. */
function marked(content: Json, mark: JsonObject): Json {
  if (typeof content === 'string')
    return content === '' ? content : [{ type: 'text', text: content, cache_control: mark }];
  if (!Array.isArray(content)) return content;
  const last = content.at(-1);
  return isJsonObject(last) ? [...content.slice(0, -1), { ...last, cache_control: mark }] : content;
}

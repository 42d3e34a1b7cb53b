import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { EventDecoder, parseEventData } from '../event-decoder.ts';
import { openaiChat } from '../openai-chat/index.ts';

/** An answer, or a piece of one, as chat completions have it. */
export function sharedAnswer(body: JsonObject): JsonObject {
  if (!Array.isArray(body.choices)) return body;
  // One conversation may keep its state through several answers: their seconds tell its calls apart.
  const serial = typeof body.created === 'number' ? body.created : 0;
  return {
    ...body,
    choices: body.choices.map((choice, index) =>
      isJsonObject(choice) ? sharedChoice(choice, serial + index) : choice,
    ),
  };
}

const reasons: Readonly<Record<string, string>> = { function_call: 'tool_calls', blacklist: 'content_filter' };

function sharedChoice({ message, delta, finish_reason: reason, ...choice }: JsonObject, serial: number): JsonObject {
  return {
    ...choice,
    ...(message === undefined ? {} : { message: sharedMessage(message, serial) }),
    ...(delta === undefined ? {} : { delta: sharedMessage(delta, serial) }),
    ...(reason === undefined
      ? {}
      : { finish_reason: typeof reason === 'string' ? (reasons[reason] ?? reason) : reason }),
  };
}

/** The state of the conversation is found again by the call's id. */
function sharedMessage(message: Json, serial: number): Json {
  if (!isJsonObject(message) || !isJsonObject(message.function_call)) return message;
  const { function_call: call, functions_state_id: state, ...rest } = message;
  const { name, arguments: given } = call as JsonObject;
  const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
  const id = typeof state === 'string' ? `${state}_${serial}` : `call_${serial}`;
  return { ...rest, tool_calls: [{ index: 0, id, type: 'function', function: { name: name ?? '', arguments: text } }] };
}

export class OwnStreamDecoder extends EventDecoder {
  readonly #shared = openaiChat.streamDecoder();

  protected read(_name: string, data: string, parts: StreamPart[]): void {
    const event = parseEventData(data);
    const shared = event === undefined ? data : JSON.stringify(sharedAnswer(event));
    this.#shared.push(Buffer.from(`data: ${shared}\n\n`), parts);
  }

  protected finish(parts: StreamPart[]): void {
    this.#shared.end(parts);
  }
}

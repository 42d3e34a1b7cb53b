import type { Frame } from './frame.ts';
import { isRecord } from './json.ts';

/* What Mistral does in another way than OpenAI, whose format it speaks. Sources: https://docs.mistral.ai/api/#tag/chat */

export function isMistral(body: unknown): boolean {
  return isRecord(body) && typeof body.model === 'string' && body.model.includes('mistral');
}

/** Its ids of calls are nine letters or digits, and it takes no others. */
export function mistralRefusal(body: Readonly<Record<string, unknown>>): string | undefined {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isRecord) : [];
  const ids = messages.flatMap((message) => [
    ...(message.tool_call_id === undefined ? [] : [message.tool_call_id]),
    ...(Array.isArray(message.tool_calls) ? message.tool_calls.filter(isRecord).map(({ id }) => id) : []),
  ]);
  const wrong = ids.find((id) => typeof id !== 'string' || !/^[a-zA-Z0-9]{9}$/.test(id));
  return wrong === undefined ? undefined : `Tool call id was ${wrong} but must be a-z, A-Z, 0-9, with a length of 9.`;
}

interface Chunk extends Record<string, unknown> {
  choices: { delta: { tool_calls?: Call[] }; finish_reason: string | null }[];
}
interface Call {
  readonly index: number;
  readonly function: { arguments: string };
}

/**
 * Calls come whole with the reason of the end, and so does usage, unasked. The ids of calls stay another provider's, as in a
 * history that falls over to it.
 */
export function* mistralFrames(frames: Iterable<Frame>): Generator<Frame> {
  let calls: Call[] = [];
  let tokens = 0;
  let last: { frame: Frame; chunk: Chunk } | undefined;
  const flush = function* (usage: object): Generator<Frame> {
    if (last !== undefined) yield { ...last.frame, data: JSON.stringify({ ...last.chunk, ...usage }) };
    last = undefined;
  };
  for (const frame of frames) {
    if (frame.kind === 'done') {
      yield* flush({});
      yield frame;
      continue;
    }
    const { usage, ...rest } = JSON.parse(frame.data) as Chunk;
    if (frame.kind === 'usage') {
      yield* flush({ usage });
      continue;
    }
    yield* flush({});
    const chunk = rest as Chunk;
    const [choice] = chunk.choices;
    const pieces = choice?.delta.tool_calls;
    if (pieces !== undefined) {
      tokens += frame.tokens;
      for (const piece of pieces) {
        const begun = calls[piece.index];
        if (begun === undefined) calls[piece.index] = piece;
        else begun.function.arguments += piece.function.arguments;
      }
      continue;
    }
    if (frame.kind !== 'finish') {
      yield { ...frame, data: JSON.stringify(chunk) };
      continue;
    }
    if (calls.length > 0) choice!.delta.tool_calls = calls;
    last = { frame: { ...frame, tokens: frame.tokens + tokens }, chunk };
    calls = [];
    tokens = 0;
  }
  yield* flush({});
}

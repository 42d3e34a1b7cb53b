import type { Behaviour, Call } from './provider.ts';
import type { SeededChance } from './seeded-chance.ts';

/** One thing that reaches the gateway at one moment. */
export interface Piece {
  readonly kind: 'refusal' | 'break' | 'headers' | 'bytes' | 'end';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** Output tokens told so far, once this piece is there. */
  readonly output: number;
  /** It tells the input tokens. */
  readonly tellsInput: boolean;
  /** It tells the whole usage. */
  readonly tellsUsage: boolean;
  /** The provider bills the whole answer although it did not arrive. */
  readonly isBilled: boolean;
}

const nothing: Piece = {
  kind: 'end',
  status: 0,
  headers: {},
  bytes: Buffer.alloc(0),
  output: 0,
  tellsInput: false,
  tellsUsage: false,
  isBilled: false,
};

/** What the caller would see of an answer, and what may be said of it besides. */
interface Event {
  readonly text: string;
  readonly output?: number;
  readonly tellsInput?: boolean;
  readonly tellsUsage?: boolean;
}

/** An answer as the pieces in which it arrives, cut anywhere. */
export function answerPieces(call: Call, isAnthropic: boolean, chance: SeededChance): readonly Piece[] {
  const { behaviour, isStream } = call;
  switch (behaviour) {
    case 'refuses the connection':
      return [{ ...nothing, kind: 'refusal' }];
    case 'fails before work':
      return refusal(500, {}, chance);
    case 'is busy':
      return refusal(429, { 'retry-after': '1' }, chance);
    case 'rejects':
      return refusal(400, {}, chance);
    case 'breaks before its headers':
      return [{ ...nothing, kind: 'break', isBilled: chance.happens(0.5) }];
    case 'never answers':
      return [];
    default:
      break;
  }
  if (!isStream) {
    if (behaviour === 'reports an error in the middle') return refusal(500, {}, chance);
    return whole(call, isAnthropic ? anthropicAnswer(call) : openAiAnswer(call), chance);
  }
  const events = isAnthropic ? anthropicEvents(call, chance) : openAiEvents(call, chance);
  const pieces: Piece[] = [headers(200, { 'content-type': 'text/event-stream' })];
  if (behaviour === 'answers' || behaviour === 'says nothing of usage' || behaviour === 'bills beyond its limit') {
    return [...pieces, ...cut(events, chance), nothing];
  }
  const some = cut(events.slice(0, chance.between(0, events.length - 2)), chance);
  if (behaviour === 'ends too early') return [...pieces, ...some, nothing];
  if (behaviour === 'breaks in the middle') return [...pieces, ...some, { ...nothing, kind: 'break' }];
  const error = isAnthropic
    ? 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"no"}}\n\n'
    : 'data: {"error":{"message":"no","type":"server_error"}}\n\n';
  return [...pieces, ...some, ...cut([{ text: error }], chance), nothing];
}

function headers(status: number, more: Readonly<Record<string, string>>): Piece {
  return { ...nothing, kind: 'headers', status, headers: more };
}

function refusal(status: number, more: Readonly<Record<string, string>>, chance: SeededChance): Piece[] {
  const text = '{"type":"error","error":{"message":"no","type":"api_error"}}';
  return [headers(status, { 'content-type': 'application/json', ...more }), ...cut([{ text }], chance), nothing];
}

function whole(call: Call, text: string, chance: SeededChance): Piece[] {
  const head = headers(200, { 'content-type': 'application/json' });
  const isTold = tellsUsage(call.behaviour);
  if (call.behaviour === 'breaks in the middle') {
    return [head, ...cut([{ text: text.slice(0, 40) }], chance), { ...nothing, kind: 'break', isBilled: true }];
  }
  if (call.behaviour === 'ends too early') {
    return [head, ...cut([{ text: text.slice(0, 40) }], chance), { ...nothing, isBilled: true }];
  }
  return [head, ...cut([{ text, output: call.whole.output, tellsUsage: isTold }], chance), nothing];
}

function tellsUsage(behaviour: Behaviour): boolean {
  return behaviour === 'answers' || behaviour === 'bills beyond its limit';
}

/** Some events arrive in two pieces, some two in one; a cut falls anywhere, inside of characters too. */
function cut(events: readonly Event[], chance: SeededChance): Piece[] {
  const pieces: Piece[] = [];
  let before: Buffer = nothing.bytes;
  for (const [index, event] of events.entries()) {
    const isWhole = before.length === 0;
    let bytes = isWhole ? Buffer.from(event.text) : Buffer.concat([before, Buffer.from(event.text)]);
    before = nothing.bytes;
    if (isWhole && bytes.length > 1 && chance.happens(0.3)) {
      const at = chance.between(1, bytes.length - 1);
      if (index + 1 < events.length && chance.happens(0.5)) {
        // The rest of it comes with the next event: what it tells is not told before that.
        const told = { ...events[index + 1]! };
        pieces.push({ ...nothing, kind: 'bytes', bytes: bytes.subarray(0, at) });
        before = bytes.subarray(at);
        (events as Event[])[index + 1] = {
          text: told.text,
          output: Math.max(told.output ?? 0, event.output ?? 0),
          tellsInput: told.tellsInput || event.tellsInput || false,
          tellsUsage: told.tellsUsage || event.tellsUsage || false,
        };
        continue;
      }
      pieces.push({ ...nothing, kind: 'bytes', bytes: bytes.subarray(0, at) });
      bytes = bytes.subarray(at);
    }
    const { output = 0, tellsInput = false, tellsUsage: isTold = false } = event;
    pieces.push({ ...nothing, kind: 'bytes', bytes, output, tellsInput, tellsUsage: isTold });
  }
  return pieces;
}

/** The text in at most four parts of whole tokens, with the tokens up to the end of each. */
function* parts(call: Call, chance: SeededChance): Generator<{ text: string; output: number }> {
  const tokens = Array.from(call.text.matchAll(/abcd|😀/gu), ([token]) => token);
  if (tokens.length === 0) return;
  const count = chance.between(1, Math.min(4, tokens.length));
  for (let part = 0; part < count; part++) {
    const from = Math.floor((tokens.length * part) / count);
    const to = Math.floor((tokens.length * (part + 1)) / count);
    yield { text: tokens.slice(from, to).join(''), output: to };
  }
}

function openAiUsage({ whole }: Call): object {
  return {
    prompt_tokens: whole.input,
    completion_tokens: whole.output,
    total_tokens: whole.input + whole.output,
    prompt_tokens_details: { cached_tokens: whole.cached },
    completion_tokens_details: { reasoning_tokens: whole.reasoning },
  };
}

function openAiAnswer(call: Call): string {
  const choice = { index: 0, message: { role: 'assistant', content: call.text }, finish_reason: 'stop' };
  const answer = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'up', choices: [choice] };
  return JSON.stringify(tellsUsage(call.behaviour) ? { ...answer, usage: openAiUsage(call) } : answer);
}

function openAiEvents(call: Call, chance: SeededChance): Event[] {
  const chunk = (choices: readonly object[], usage?: object) =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'up', choices, usage })}\n\n`;
  const events: Event[] = [{ text: chunk([{ index: 0, delta: { role: 'assistant', content: '' } }]) }];
  for (const { text, output } of parts(call, chance)) {
    events.push({ text: chunk([{ index: 0, delta: { content: text } }]), output });
  }
  events.push({ text: chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]) });
  if (tellsUsage(call.behaviour)) events.push({ text: chunk([], openAiUsage(call)), tellsUsage: true });
  events.push({ text: 'data: [DONE]\n\n' });
  return events;
}

function anthropicUsage({ whole }: Call, output: number): object {
  return {
    input_tokens: whole.input - whole.cached,
    cache_read_input_tokens: whole.cached,
    cache_creation_input_tokens: 0,
    output_tokens: output,
  };
}

function anthropicAnswer(call: Call): string {
  const answer = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'up',
    content: [{ type: 'text', text: call.text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
  };
  return JSON.stringify(
    tellsUsage(call.behaviour) ? { ...answer, usage: anthropicUsage(call, call.whole.output) } : answer,
  );
}

function anthropicEvents(call: Call, chance: SeededChance): Event[] {
  const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const isTold = tellsUsage(call.behaviour);
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'up', content: [], stop_reason: null };
  const start = isTold ? { ...message, usage: anthropicUsage(call, 1) } : message;
  const events: Event[] = [
    { text: event('message_start', { message: start }), tellsInput: isTold },
    { text: event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) },
  ];
  for (const { text, output } of parts(call, chance)) {
    events.push({ text: event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }), output });
  }
  events.push({ text: event('content_block_stop', { index: 0 }) });
  const usage = isTold ? { usage: anthropicUsage(call, call.whole.output) } : {};
  events.push({ text: event('message_delta', { delta: { stop_reason: 'end_turn' }, ...usage }), tellsUsage: isTold });
  events.push({ text: event('message_stop', {}) });
  return events;
}

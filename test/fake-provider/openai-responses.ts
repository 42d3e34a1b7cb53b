import { type Answer, type AnswerChoice, joined } from './answer.ts';
import type { Frame } from './frame.ts';
import type { FakeUsage, Script } from './script.ts';
import { endlessly, type Piece } from './text.ts';

/** OpenAI responses. Source: https://platform.openai.com/docs/api-reference/responses and /responses-streaming */

type Fields = Readonly<Record<string, unknown>>;

export function responsesUsage(usage: FakeUsage): Fields {
  const input = usage.inputTokens + usage.cachedTokens;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cachedTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: input + usage.outputTokens,
  };
}

export function response(answer: Answer, script: Script, request: Fields): Fields {
  const choice = answer.choices[0]!;
  const output = itemsOf(choice, answer.serial, script).map((item) => item.whole);
  return { ...envelope(answer, request), ...ended(answer, choice, script), output };
}

export function* responseFrames(answer: Answer, script: Script, request: Fields): Generator<Frame> {
  const choice = answer.choices[0]!;
  let sequence = 0;
  const frame = (kind: Frame['kind'], type: string, fields: Fields, tokens = 0): Frame => ({
    kind,
    event: type,
    tokens,
    data: JSON.stringify({ type, sequence_number: sequence++, ...fields }),
  });
  const begun = { response: { ...envelope(answer, request), status: 'in_progress', output: [], usage: null } };
  yield frame('start', 'response.created', begun);
  yield frame('start', 'response.in_progress', begun);
  const items = itemsOf(choice, answer.serial, script);
  for (const [output_index, item] of items.entries()) {
    yield frame('start', 'response.output_item.added', { output_index, item: item.opening });
    for (const { type, fields, tokens } of item.events) {
      yield frame('content', type, { item_id: item.whole.id, output_index, ...fields }, tokens);
    }
    yield frame('content', 'response.output_item.done', { output_index, item: item.whole });
  }
  if (script.omitDone || script.omitFinishReason) return;
  const last = {
    ...envelope(answer, request),
    ...ended(answer, choice, script),
    output: items.map(({ whole }) => whole),
  };
  yield frame('done', choice.finish === 'length' ? 'response.incomplete' : 'response.completed', { response: last });
}

function envelope(answer: Answer, request: Fields): Fields {
  return {
    id: `resp_${answer.serial}`,
    object: 'response',
    created_at: 1_760_000_000,
    status: 'completed',
    background: request.background ?? false,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    metadata: request.metadata ?? {},
    model: answer.model,
    parallel_tool_calls: true,
    previous_response_id: request.previous_response_id ?? null,
    store: request.store ?? true,
    temperature: 1,
    text: request.text ?? { format: { type: 'text' } },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_p: 1,
  };
}

function ended(answer: Answer, choice: AnswerChoice, script: Script): Fields {
  const cut = choice.finish === 'length';
  return {
    status: cut ? 'incomplete' : 'completed',
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    ...(script.usage === 'none' ? {} : { usage: responsesUsage(answer.usage) }),
  };
}

/** An item whole, as its opening, and the events that fill it. */
interface Item {
  readonly whole: Fields;
  readonly opening: Fields;
  readonly events: Iterable<{ readonly type: string; readonly fields: Fields; readonly tokens: number }>;
}

function itemsOf(choice: AnswerChoice, serial: string, script: Script): Item[] {
  const items: Item[] = [];
  if (choice.reasoning.length > 0) items.push(reasoningItem(choice.reasoning, serial, script));
  if (choice.text.length > 0 || script.endless || choice.toolCalls.length === 0) {
    items.push(messageItem(choice.text, `msg_${serial}`, script));
  }
  for (const call of choice.toolCalls) {
    const item = { id: `fc_${call.id}`, type: 'function_call', call_id: `call_${call.id}`, name: call.name };
    items.push({
      whole: { ...item, status: 'completed', arguments: joined(call.pieces) },
      opening: { ...item, status: 'in_progress', arguments: '' },
      events: [
        ...call.pieces.map(({ text, tokens }) => ({
          type: 'response.function_call_arguments.delta',
          fields: { delta: text },
          tokens,
        })),
        {
          type: 'response.function_call_arguments.done',
          fields: { name: call.name, arguments: joined(call.pieces) },
          tokens: 0,
        },
      ],
    });
  }
  return items;
}

function reasoningItem(pieces: readonly Piece[], serial: string, script: Script): Item {
  const opening = { id: `rs_${serial}`, type: 'reasoning', summary: [] };
  const part = { type: 'summary_text', text: joined(pieces) };
  const place = { summary_index: 0 };
  return {
    whole: { ...opening, summary: [part], encrypted_content: script.reasoningSignature ?? 'gAAAAABfake' },
    opening,
    events: [
      { type: 'response.reasoning_summary_part.added', fields: { ...place, part: { ...part, text: '' } }, tokens: 0 },
      ...pieces.map(({ text, tokens }) => ({
        type: 'response.reasoning_summary_text.delta',
        fields: { ...place, delta: text },
        tokens,
      })),
      { type: 'response.reasoning_summary_text.done', fields: { ...place, text: part.text }, tokens: 0 },
      { type: 'response.reasoning_summary_part.done', fields: { ...place, part }, tokens: 0 },
    ],
  };
}

function messageItem(pieces: readonly Piece[], id: string, script: Script): Item {
  const text = joined(pieces);
  const item = { id, type: 'message', role: 'assistant' };
  const part = { type: 'output_text', text, annotations: [], logprobs: [] };
  return {
    whole: { ...item, status: 'completed', content: [part] },
    opening: { ...item, status: 'in_progress', content: [] },
    events: textEvents(script.endless ? endlessly(pieces) : pieces, part),
  };
}

function* textEvents(pieces: Iterable<Piece>, part: Fields): Item['events'] & Generator {
  const place = { content_index: 0 };
  yield { type: 'response.content_part.added', fields: { ...place, part: { ...part, text: '' } }, tokens: 0 };
  for (const { text, tokens } of pieces) {
    yield { type: 'response.output_text.delta', fields: { ...place, delta: text, logprobs: [] }, tokens };
  }
  yield { type: 'response.output_text.done', fields: { ...place, text: part.text, logprobs: [] }, tokens: 0 };
  yield { type: 'response.content_part.done', fields: { ...place, part }, tokens: 0 };
}

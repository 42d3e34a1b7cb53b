import type { Answer, AnswerRequest } from './answer.ts';
import { joined } from './answer.ts';
import type { Frame } from './frame.ts';
import type { FakeUsage, Script } from './script.ts';
import { endlessly } from './text.ts';

/** Cohere's v2 chat. Source: https://docs.cohere.com/reference/chat and /reference/chat-stream */

const finishReasons = { stop: 'COMPLETE', length: 'MAX_TOKENS', 'tool-calls': 'TOOL_CALL' } as const;

/** The request in the words that the fake composes answers from. */
export function cohereRequest(request: AnswerRequest): AnswerRequest {
  const { tool_choice: choice, ...body } = request.body;
  return { ...request, body: choice === 'REQUIRED' ? { ...body, tool_choice: 'required' } : body };
}

function usageOf(usage: FakeUsage): object {
  const tokens = { input_tokens: usage.inputTokens + usage.cachedTokens, output_tokens: usage.outputTokens };
  return { billed_units: tokens, tokens, cached_tokens: usage.cachedTokens };
}

function lastDelta(answer: Answer, script: Script): object {
  const reason = script.finishReason ?? finishReasons[answer.choices[0]!.finish];
  return {
    ...(script.omitFinishReason ? {} : { finish_reason: reason }),
    ...(script.usage === 'none' ? {} : { usage: usageOf(answer.usage) }),
  };
}

export function cohereAnswer(answer: Answer, script: Script): object {
  const { reasoning, text, toolCalls } = answer.choices[0]!;
  const content = [
    ...(reasoning.length > 0 ? [{ type: 'thinking', thinking: joined(reasoning) }] : []),
    ...(text.length > 0 || toolCalls.length === 0 ? [{ type: 'text', text: joined(text) }] : []),
  ];
  const calls = toolCalls.map(({ id, name, pieces }) => ({
    id,
    type: 'function',
    function: { name, arguments: joined(pieces) },
  }));
  return {
    id: answer.serial,
    message: {
      role: 'assistant',
      ...(content.length > 0 ? { content } : {}),
      ...(calls.length > 0 ? { tool_plan: '', tool_calls: calls } : {}),
    },
    ...lastDelta(answer, script),
  };
}

export function* cohereFrames(answer: Answer, script: Script): Generator<Frame> {
  const { reasoning, text, toolCalls } = answer.choices[0]!;
  const frame = (kind: Frame['kind'], payload: { type: string; [field: string]: unknown }, tokens = 0): Frame => ({
    kind,
    event: payload.type,
    tokens,
    data: JSON.stringify(payload),
  });
  const said = (type: string, index: number, message: object) => ({ type, index, delta: { message } });
  yield frame('start', {
    type: 'message-start',
    id: answer.serial,
    delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
  });
  let index = 0;
  for (const [type, pieces] of [
    ['thinking', reasoning],
    ['text', text],
  ] as const) {
    const isEndless = type === 'text' && script.endless === true;
    if (pieces.length === 0 && !isEndless) continue;
    yield frame('start', said('content-start', index, { content: { type, [type]: '' } }));
    for (const piece of isEndless ? endlessly(pieces) : pieces) {
      yield frame('content', said('content-delta', index, { content: { [type]: piece.text } }), piece.tokens);
    }
    yield frame('content', { type: 'content-end', index });
    index += 1;
  }
  for (const [at, { id, name, pieces }] of toolCalls.entries()) {
    const call = { id, type: 'function', function: { name, arguments: '' } };
    yield frame('start', said('tool-call-start', at, { tool_calls: call }));
    for (const { text: piece, tokens } of pieces) {
      yield frame('content', said('tool-call-delta', at, { tool_calls: { function: { arguments: piece } } }), tokens);
    }
    yield frame('content', { type: 'tool-call-end', index: at });
  }
  if (!script.omitDone) {
    yield frame('done', { type: 'message-end', id: answer.serial, delta: lastDelta(answer, script) });
  }
}

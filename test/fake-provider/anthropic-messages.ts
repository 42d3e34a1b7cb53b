import type { Answer, AnswerChoice } from './answer.ts';
import { joined } from './answer.ts';
import type { Frame } from './frame.ts';
import { parseJson } from './json.ts';
import type { FakeUsage, Script } from './script.ts';
import { endlessly, type Piece } from './text.ts';

/** Anthropic messages. Source: https://docs.anthropic.com/en/api/messages and /en/api/messages-streaming */

const stopReasons = { stop: 'end_turn', length: 'max_tokens', 'tool-calls': 'tool_use' } as const;
const defaultSignature = 'EqQBCkYIARgCKkBmYWtlLXNpZ25hdHVyZQ==';

export function anthropicUsage(usage: FakeUsage, outputTokens = usage.outputTokens): Record<string, unknown> {
  return {
    input_tokens: usage.inputTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens + usage.cacheWriteLongTokens,
    cache_read_input_tokens: usage.cachedTokens,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWriteTokens,
      ephemeral_1h_input_tokens: usage.cacheWriteLongTokens,
    },
    output_tokens: outputTokens,
    service_tier: 'standard',
  };
}

export function anthropicMessage(answer: Answer, script: Script): Record<string, unknown> {
  const choice = answer.choices[0]!;
  return {
    ...envelope(answer),
    content: blocksOf(choice, script).map((block) => block.whole),
    stop_reason: script.omitFinishReason ? null : (script.finishReason ?? stopReasons[choice.finish]),
    stop_sequence: null,
    ...(script.usage === 'none' ? {} : { usage: { ...anthropicUsage(answer.usage), ...answer.terms } }),
  };
}

export function* messageFrames(answer: Answer, script: Script): Generator<Frame> {
  const choice = answer.choices[0]!;
  const isSilent = script.usage === 'none';
  const message = { ...envelope(answer), content: [], stop_reason: null, stop_sequence: null };
  const usage = isSilent ? {} : { usage: { ...anthropicUsage(answer.usage, 1), ...answer.terms } };
  yield frame('start', { type: 'message_start', message: { ...message, ...usage } });
  for (const [index, block] of blocksOf(choice, script).entries()) {
    yield frame('start', { type: 'content_block_start', index, content_block: block.opening });
    if (index === 0) yield frame('start', { type: 'ping' });
    for (const { delta, tokens } of block.deltas) {
      yield frame('content', { type: 'content_block_delta', index, delta }, tokens);
    }
    yield frame('content', { type: 'content_block_stop', index });
  }
  if (!script.omitFinishReason) {
    yield frame('finish', {
      type: 'message_delta',
      delta: { stop_reason: script.finishReason ?? stopReasons[choice.finish], stop_sequence: null },
      ...(isSilent ? {} : { usage: anthropicUsage(answer.usage) }),
    });
  }
  if (!script.omitDone) yield frame('done', { type: 'message_stop' });
}

function frame(
  kind: Frame['kind'],
  payload: { readonly type: string; readonly [field: string]: unknown },
  tokens = 0,
): Frame {
  return { kind, event: payload.type, tokens, data: JSON.stringify(payload) };
}

function envelope(answer: Answer): Record<string, unknown> {
  return { id: `msg_${answer.serial}`, type: 'message', role: 'assistant', model: answer.model };
}

/** A content block three ways: whole, as the opening of its stream, and as the deltas that fill it. */
interface Block {
  readonly whole: Record<string, unknown>;
  readonly opening: Record<string, unknown>;
  readonly deltas: Iterable<{ readonly delta: object; readonly tokens: number }>;
}

function blocksOf(choice: AnswerChoice, script: Script): Block[] {
  const blocks: Block[] = [];
  if (choice.reasoning.length > 0) blocks.push(thinkingBlock(choice.reasoning, script));
  if (script.redactedReasoning !== undefined) {
    const block = { type: 'redacted_thinking', data: script.redactedReasoning };
    blocks.push({ whole: block, opening: block, deltas: [] });
  }
  if (choice.text.length > 0 || script.endless || choice.toolCalls.length === 0)
    blocks.push(textBlock(choice.text, script));
  for (const call of choice.toolCalls) {
    const block = { type: 'tool_use', id: `toolu_${call.id}`, name: call.name };
    blocks.push({
      whole: { ...block, input: parseJson(joined(call.pieces)) ?? {} },
      opening: { ...block, input: {} },
      deltas: [
        // The first argument delta of a real stream is empty.
        { delta: { type: 'input_json_delta', partial_json: '' }, tokens: 0 },
        ...call.pieces.map((piece) => ({
          delta: { type: 'input_json_delta', partial_json: piece.text },
          tokens: piece.tokens,
        })),
      ],
    });
  }
  return blocks;
}

function thinkingBlock(pieces: readonly Piece[], script: Script): Block {
  const signature = script.reasoningSignature ?? defaultSignature;
  return {
    whole: { type: 'thinking', thinking: joined(pieces), signature },
    opening: { type: 'thinking', thinking: '', signature: '' },
    deltas: [
      ...pieces.map((piece) => ({ delta: { type: 'thinking_delta', thinking: piece.text }, tokens: piece.tokens })),
      { delta: { type: 'signature_delta', signature }, tokens: 0 },
    ],
  };
}

function textBlock(pieces: readonly Piece[], script: Script): Block {
  return {
    whole: { type: 'text', text: joined(pieces) },
    opening: { type: 'text', text: '' },
    deltas: textDeltas(script.endless ? endlessly(pieces) : pieces),
  };
}

function* textDeltas(pieces: Iterable<Piece>): Generator<{ delta: object; tokens: number }> {
  for (const piece of pieces) yield { delta: { type: 'text_delta', text: piece.text }, tokens: piece.tokens };
}

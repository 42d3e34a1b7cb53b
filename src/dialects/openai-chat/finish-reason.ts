import type { FinishReason } from '../../core/neutral.ts';

const decoded: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  eos_token: 'stop',
  stop_sequence: 'stop',
  end_turn: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
};

/** Servers that speak this format invent reasons of their own: an unknown one is a normal stop. */
export function decodeFinishReason(reason: string): FinishReason {
  return Object.hasOwn(decoded, reason) ? decoded[reason]! : 'stop';
}

export function encodeFinishReason(reason: FinishReason): string {
  return reason === 'pause' ? 'stop' : reason;
}

import type { JsonObject } from '../core/json.ts';
import type { DemoAnswer } from './answer.ts';

/** OpenAI's answer shapes, as vLLM serves them too. Source: https://platform.openai.com/docs/api-reference */

/** The fields every answer opens with; `created` is in Unix seconds. */
export interface Envelope extends JsonObject {
  id: string;
  created: number;
  model: string;
}

export function wholeAnswer(envelope: Envelope, answer: DemoAnswer, isChat: boolean): JsonObject {
  const text = answer.tokens.join('');
  const said = isChat ? { message: { role: 'assistant', content: text } } : { text };
  const choice = { index: 0, ...said, logprobs: null, finish_reason: answer.finish };
  const object = isChat ? 'chat.completion' : 'text_completion';
  return { ...envelope, object, choices: [choice], usage: usageOf(answer) };
}

/** The events for tokens `from` up to `to`, with the opening before the first and the ending after the last. */
export function streamEvents(
  envelope: Envelope,
  answer: DemoAnswer,
  range: { from: number; to: number },
  { isChat, includeUsage }: { isChat: boolean; includeUsage: boolean },
): string {
  const object = isChat ? 'chat.completion.chunk' : 'text_completion';
  const event = (choices: JsonObject[], more: JsonObject = {}): string =>
    `data: ${JSON.stringify({ ...envelope, object, choices, ...more })}\n\n`;
  const piece = (delta: JsonObject, finish: string | null): string => {
    const said = isChat ? { delta } : { text: delta.content ?? '' };
    return event([{ index: 0, ...said, logprobs: null, finish_reason: finish }]);
  };
  let events = isChat && range.from === 0 ? piece({ role: 'assistant', content: '' }, null) : '';
  for (const content of answer.tokens.slice(range.from, range.to)) events += piece({ content }, null);
  if (range.to < answer.tokens.length) return events;
  const usage = includeUsage ? event([], { usage: usageOf(answer) }) : '';
  return `${events}${piece({}, answer.finish)}${usage}data: [DONE]\n\n`;
}

function usageOf({ promptTokens, tokens }: DemoAnswer): JsonObject {
  const total_tokens = promptTokens + tokens.length;
  return { prompt_tokens: promptTokens, completion_tokens: tokens.length, total_tokens };
}

/** Vectors of 64 numbers that follow from the bytes of each text: alike for alike texts, and of length 1. */
export function embeddings(envelope: Envelope, input: unknown, promptTokens: number): JsonObject {
  const texts = (Array.isArray(input) ? input : [input]).map((text) => JSON.stringify(text) ?? '');
  return {
    object: 'list',
    data: texts.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) })),
    model: envelope.model,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
}

function vectorOf(text: string): number[] {
  const vector = new Array<number>(64).fill(0);
  const bytes = Buffer.from(text);
  for (let index = 1; index < bytes.length; index += 1) vector[(bytes[index - 1]! * 31 + bytes[index]!) % 64]! += 1;
  const norm = Math.hypot(...vector) || 1;
  return vector.map((component) => component / norm);
}

import type { Answer } from './answer.ts';
import { joined } from './answer.ts';
import type { Frame } from './frame.ts';
import { openaiUsage } from './openai-chat.ts';
import type { Script } from './script.ts';
import { endlessly } from './text.ts';

/** OpenAI's old text completions, still spoken by vLLM. Source: https://platform.openai.com/docs/api-reference/completions */

export function textCompletion(answer: Answer, script: Script): Record<string, unknown> {
  return {
    ...envelope(answer),
    choices: answer.choices.map((choice, index) => ({
      text: joined(choice.text),
      index,
      logprobs: null,
      finish_reason: script.omitFinishReason ? null : finishReasonOf(choice.finish, script),
    })),
    ...(script.usage === 'none' ? {} : { usage: openaiUsage(answer.usage) }),
  };
}

export function* textCompletionFrames(answer: Answer, script: Script, includeUsage: boolean): Generator<Frame> {
  const usageField = includeUsage && script.usage !== 'none' ? { usage: null } : {};
  const chunk = (kind: Frame['kind'], index: number, text: string, finish: string | null, tokens: number): Frame => ({
    kind,
    tokens,
    data: JSON.stringify({
      ...envelope(answer),
      choices: [{ text, index, logprobs: null, finish_reason: finish }],
      ...usageField,
    }),
  });
  for (const [index, choice] of answer.choices.entries()) {
    for (const piece of script.endless ? endlessly(choice.text) : choice.text) {
      yield chunk('content', index, piece.text, null, piece.tokens);
    }
    if (!script.omitFinishReason) yield chunk('finish', index, '', finishReasonOf(choice.finish, script), 0);
  }
  if (includeUsage && script.usage !== 'none') {
    const usage = openaiUsage(answer.usage);
    yield { kind: 'usage', tokens: 0, data: JSON.stringify({ ...envelope(answer), choices: [], usage }) };
  }
  if (!script.omitDone) yield { kind: 'done', tokens: 0, data: '[DONE]' };
}

function envelope(answer: Answer): Record<string, unknown> {
  return { id: `cmpl-${answer.serial}`, object: 'text_completion', created: 1_767_225_600, model: answer.model };
}

function finishReasonOf(finish: 'stop' | 'length' | 'tool-calls', script: Script): string {
  return script.finishReason ?? (finish === 'length' ? 'length' : 'stop');
}

import type { Answer, AnswerChoice } from './answer.ts';
import { joined } from './answer.ts';
import type { Frame } from './frame.ts';
import type { FakeUsage, Script } from './script.ts';
import { endlessly } from './text.ts';

/** OpenAI chat completions. Source: https://platform.openai.com/docs/api-reference/chat */

const finishReasons = { stop: 'stop', length: 'length', 'tool-calls': 'tool_calls' } as const;
const createdAt = 1_767_225_600;

export function openaiUsage(usage: FakeUsage): Record<string, unknown> {
  const promptTokens = usage.inputTokens + usage.cachedTokens + usage.cacheWriteTokens + usage.cacheWriteLongTokens;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: promptTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

export function chatCompletion(answer: Answer, script: Script): Record<string, unknown> {
  return {
    id: `chatcmpl-${answer.serial}`,
    object: 'chat.completion',
    created: createdAt,
    model: answer.model,
    choices: answer.choices.map((choice, index) => ({
      index,
      message: messageOf(choice, script),
      logprobs: null,
      finish_reason: script.omitFinishReason ? null : (script.finishReason ?? finishReasons[choice.finish]),
    })),
    ...(script.usage === 'none' ? {} : { usage: openaiUsage(answer.usage) }),
    service_tier: 'default',
    system_fingerprint: 'fp_fake',
  };
}

function messageOf(choice: AnswerChoice, script: Script): Record<string, unknown> {
  const reasoning = joined(choice.reasoning);
  const text = joined(choice.text);
  return {
    role: 'assistant',
    content: text === '' && choice.toolCalls.length > 0 ? null : text,
    refusal: null,
    annotations: [],
    ...(reasoning === '' ? {} : { [script.reasoningField ?? 'reasoning_content']: reasoning }),
    ...(choice.toolCalls.length === 0
      ? {}
      : {
          tool_calls: choice.toolCalls.map((call) => ({
            id: `call_${call.id}`,
            type: 'function',
            function: { name: call.name, arguments: joined(call.pieces) },
          })),
        }),
  };
}

/** The stream's events. `includeUsage` is the caller's `stream_options.include_usage`. */
export function* chatFrames(answer: Answer, script: Script, includeUsage: boolean): Generator<Frame> {
  let producedTokens = 0;
  const chunk = (kind: Frame['kind'], index: number, delta: object, finish: string | null, tokens: number): Frame => {
    producedTokens += tokens;
    return {
      kind,
      tokens,
      data: JSON.stringify({
        ...envelope(answer),
        choices: [{ index, delta, logprobs: null, finish_reason: finish }],
        ...usageField(answer, script, includeUsage, producedTokens),
      }),
    };
  };
  for (const [index, choice] of answer.choices.entries()) {
    yield chunk('start', index, { role: 'assistant', content: '', refusal: null }, null, 0);
    const reasoningField = script.reasoningField ?? 'reasoning_content';
    for (const piece of choice.reasoning)
      yield chunk('content', index, { [reasoningField]: piece.text }, null, piece.tokens);
    for (const piece of script.endless ? endlessly(choice.text) : choice.text) {
      yield chunk('content', index, { content: piece.text }, null, piece.tokens);
    }
    for (const { delta, tokens } of toolCallDeltas(choice, script)) yield chunk('content', index, delta, null, tokens);
    if (!script.omitFinishReason) {
      yield chunk('finish', index, {}, script.finishReason ?? finishReasons[choice.finish], 0);
    }
  }
  if (includeUsage && script.usage !== 'none') {
    const usage = openaiUsage(answer.usage);
    yield { kind: 'usage', tokens: 0, data: JSON.stringify({ ...envelope(answer), choices: [], usage }) };
  }
  if (!script.omitDone) yield { kind: 'done', tokens: 0, data: '[DONE]' };
}

function envelope(answer: Answer): Record<string, unknown> {
  return {
    id: `chatcmpl-${answer.serial}`,
    object: 'chat.completion.chunk',
    created: createdAt,
    model: answer.model,
    service_tier: 'default',
    system_fingerprint: 'fp_fake',
  };
}

/** OpenAI writes `usage: null` on every chunk before the last once usage was asked for; others write running totals. */
function usageField(answer: Answer, script: Script, includeUsage: boolean, producedTokens: number): object {
  if (script.usage === 'every-event') {
    return { usage: openaiUsage({ ...answer.usage, outputTokens: producedTokens, reasoningTokens: 0 }) };
  }
  return includeUsage && script.usage !== 'none' ? { usage: null } : {};
}

function* toolCallDeltas(choice: AnswerChoice, script: Script): Generator<{ delta: object; tokens: number }> {
  const opening = (index: number, id: string, name: string) => ({
    delta: { tool_calls: [{ index, id: `call_${id}`, type: 'function', function: { name, arguments: '' } }] },
    tokens: 0,
  });
  const more = (index: number, text: string, tokens: number) => ({
    delta: { tool_calls: [{ index, function: { arguments: text } }] },
    tokens,
  });
  if (!script.interleaveToolCalls) {
    for (const [index, call] of choice.toolCalls.entries()) {
      yield opening(index, call.id, call.name);
      for (const piece of call.pieces) yield more(index, piece.text, piece.tokens);
    }
    return;
  }
  for (const [index, call] of choice.toolCalls.entries()) yield opening(index, call.id, call.name);
  const rounds = Math.max(0, ...choice.toolCalls.map((call) => call.pieces.length));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, call] of choice.toolCalls.entries()) {
      const piece = call.pieces[round];
      if (piece !== undefined) yield more(index, piece.text, piece.tokens);
    }
  }
}

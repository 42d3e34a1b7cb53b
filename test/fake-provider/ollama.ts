import type { Answer, AnswerRequest } from './answer.ts';
import { joined } from './answer.ts';
import type { Frame } from './frame.ts';
import { isRecord, parseJson } from './json.ts';
import type { Script } from './script.ts';
import { endlessly } from './text.ts';

/** Ollama's own chat. Source: https://github.com/ollama/ollama/blob/main/docs/api.md */

/** The request in the words that the fake composes answers from. */
export function ollamaRequest(request: AnswerRequest): AnswerRequest {
  const { options, ...body } = request.body;
  const told = isRecord(options) ? options : {};
  return { ...request, body: { ...body, max_tokens: told.num_predict } };
}

const head = (answer: Answer) => ({ model: answer.model, created_at: '2026-11-01T12:00:00.123456Z' });

function calls(answer: Answer): object[] {
  return answer.choices[0]!.toolCalls.map(({ name, pieces }) => ({
    function: { name, arguments: parseJson(joined(pieces)) ?? {} },
  }));
}

function ending(answer: Answer, script: Script): object {
  const { finish } = answer.choices[0]!;
  return {
    done: true,
    done_reason: script.finishReason ?? (finish === 'length' ? 'length' : 'stop'),
    total_duration: 5_000_000,
    load_duration: 1_000_000,
    ...(script.usage === 'none'
      ? {}
      : {
          prompt_eval_count: answer.usage.inputTokens + answer.usage.cachedTokens,
          prompt_eval_duration: 1_000_000,
          eval_count: answer.usage.outputTokens,
          eval_duration: 3_000_000,
        }),
  };
}

export function ollamaAnswer(answer: Answer, script: Script): object {
  const { reasoning, text, toolCalls } = answer.choices[0]!;
  return {
    ...head(answer),
    message: {
      role: 'assistant',
      content: joined(text),
      ...(reasoning.length > 0 ? { thinking: joined(reasoning) } : {}),
      ...(toolCalls.length > 0 ? { tool_calls: calls(answer) } : {}),
    },
    ...ending(answer, script),
  };
}

/** The same in the words of `/api/generate`, which has no calls. */
export function generated(chat: object): object {
  const { message, ...rest } = chat as { message: { content: string; thinking?: string } };
  return {
    ...rest,
    response: message.content,
    ...(message.thinking === undefined ? {} : { thinking: message.thinking }),
  };
}

export function* generatedFrames(answer: Answer, script: Script): Generator<Frame> {
  for (const frame of ollamaFrames(answer, script)) {
    yield { ...frame, data: JSON.stringify(generated(JSON.parse(frame.data) as object)) };
  }
}

export function* ollamaFrames(answer: Answer, script: Script): Generator<Frame> {
  const { reasoning, text, toolCalls } = answer.choices[0]!;
  const line = (kind: Frame['kind'], fields: object, tokens = 0): Frame => ({
    kind,
    tokens,
    data: JSON.stringify({ ...head(answer), ...fields }),
  });
  const said = (fields: object) => ({ message: { role: 'assistant', content: '', ...fields }, done: false });
  for (const piece of reasoning) yield line('content', said({ thinking: piece.text }), piece.tokens);
  for (const piece of script.endless ? endlessly(text) : text) {
    yield line('content', said({ content: piece.text }), piece.tokens);
  }
  if (toolCalls.length > 0) {
    const tokens = toolCalls.flatMap(({ pieces }) => pieces).reduce((sum, piece) => sum + piece.tokens, 0);
    yield line('content', said({ tool_calls: calls(answer) }), tokens);
  }
  if (script.omitDone || script.omitFinishReason) return;
  yield line('done', { message: { role: 'assistant', content: '' }, ...ending(answer, script) });
}

/** A line for each event. */
export function ollamaLine(frame: Frame): Buffer {
  return Buffer.from(`${frame.data}\n`);
}

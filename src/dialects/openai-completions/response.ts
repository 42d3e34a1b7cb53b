import type { AnswerOptions, Dialect } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { NeutralChoice, NeutralResponse } from '../../core/neutral.ts';
import { unknownMembers } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { decodeFinishReason, encodeFinishReason } from '../openai-chat/finish-reason.ts';
import { choicesOf, readAnswer } from '../openai-chat/response.ts';
import { decodeUsage, encodeUsage } from '../openai-chat/usage.ts';

const neutralFields: ReadonlySet<string> = new Set(['id', 'object', 'created', 'model', 'choices', 'usage']);

function decode(body: JsonObject): NeutralResponse {
  return {
    id: typeof body.id === 'string' ? body.id : '',
    model: typeof body.model === 'string' ? body.model : '',
    createdAt: typeof body.created === 'number' ? body.created : undefined,
    choices: choicesOf(body).map(decodeChoice),
    usage: decodeUsage(body.usage, body.service_tier),
    extra: unknownMembers(body, neutralFields),
  };
}

function decodeChoice(choice: JsonObject, position: number): NeutralChoice {
  if (typeof choice.text !== 'string') throw notAnAnswer(`choices[${position}].text`);
  return {
    index: typeof choice.index === 'number' ? choice.index : position,
    content: choice.text === '' ? [] : [{ type: 'text', text: choice.text }],
    finishReason: typeof choice.finish_reason === 'string' ? decodeFinishReason(choice.finish_reason) : 'stop',
    ...(typeof choice.stop_reason === 'string' ? { stopSequence: choice.stop_reason } : {}),
    ...(choice.logprobs === undefined || choice.logprobs === null ? {} : { logprobs: choice.logprobs }),
  };
}

/** Text only: a request in this format cannot have asked for anything else. */
function encode(response: NeutralResponse, options: AnswerOptions): JsonObject {
  return {
    id: response.id === '' ? `cmpl-${options.requestId}` : response.id,
    object: 'text_completion',
    created: response.createdAt ?? options.createdAt,
    model: options.model ?? response.model,
    choices: response.choices.map((choice) => ({
      index: choice.index,
      text: choice.content
        .map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : ''))
        .join(''),
      logprobs: choice.logprobs ?? null,
      finish_reason: encodeFinishReason(choice.finishReason),
      ...(choice.stopSequence === undefined ? {} : { stop_reason: choice.stopSequence }),
    })),
    ...(response.usage === undefined ? {} : { usage: encodeUsage(response.usage) }),
    ...response.extra,
  };
}

export const completionResponse: Dialect['response'] = { decode, encode, read: readAnswer };

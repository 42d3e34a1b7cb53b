import type { AnswerOptions, BodyEdits, Dialect, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, NeutralChoice, NeutralResponse } from '../../core/neutral.ts';
import { unknownMembers } from '../body-checks.ts';
import { factsOf } from '../error-facts.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { isOwnCitation, ownCitation } from './citations.ts';
import { decodeReasoning, decodeToolCalls } from './decode-messages.ts';
import { encodeThinking, encodeToolCall } from './encode-messages.ts';
import { decodeFinishReason, encodeFinishReason } from './finish-reason.ts';
import { decodeImages, encodeImage } from './images.ts';
import { mergedAnswer, mergedChoices, ReasoningMerger } from './merged-reasoning.ts';
import { generatedBytes, isError, statusOf } from './relay.ts';
import { decodeUsage, encodeUsage } from './usage.ts';

const neutralFields: ReadonlySet<string> = new Set(['id', 'object', 'created', 'model', 'choices', 'usage']);

/** The choices of a whole answer; throws when the body is no answer, so that garbage with status 200 is never passed on. */
export function choicesOf(body: JsonObject): JsonObject[] {
  if (isError(body)) {
    const status = statusOf(body);
    throw new GatewayError('upstream_error', factsOf(body).message ?? 'The provider answered with an error.', {
      ...(status === undefined ? {} : { status }),
    });
  }
  const { choices } = body;
  if (!Array.isArray(choices) || choices.length === 0 || !choices.every(isJsonObject)) throw notAnAnswer('choices');
  return choices as JsonObject[];
}

/** What both whole-answer formats of the family tell the records. */
export function readAnswer(body: JsonObject): ResponseFacts {
  const choices = choicesOf(body);
  const reason = choices[0]!.finish_reason;
  let outputBytes = 0;
  for (const choice of choices) outputBytes += generatedBytes(choice);
  return {
    id: typeof body.id === 'string' ? body.id : undefined,
    model: typeof body.model === 'string' ? body.model : undefined,
    usage: decodeUsage(body.usage, body.service_tier),
    finishReason: typeof reason === 'string' ? reason : null,
    outputBytes,
  };
}

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
  if (!isJsonObject(choice.message)) throw notAnAnswer(`choices[${position}].message`);
  const { message } = choice;
  const content: ContentBlock[] = [...decodeReasoning(message), ...decodeContent(message), ...decodeImages(message)];
  if (typeof message.refusal === 'string' && message.refusal !== '') {
    content.push({ type: 'refusal', text: message.refusal });
  }
  content.push(...decodeToolCalls(message));
  const isCalling = content.some((block) => block.type === 'tool_call');
  const reason = typeof choice.finish_reason === 'string' ? decodeFinishReason(choice.finish_reason) : 'stop';
  return {
    index: typeof choice.index === 'number' ? choice.index : position,
    content,
    // Some servers say `stop` although the answer is a tool call.
    finishReason: reason === 'stop' && isCalling ? 'tool_calls' : reason,
    ...(typeof choice.stop_reason === 'string' ? { stopSequence: choice.stop_reason } : {}),
    ...(choice.logprobs === undefined || choice.logprobs === null ? {} : { logprobs: choice.logprobs }),
  };
}

/** A string; from some servers a list of text and thinking parts. */
function decodeContent(message: JsonObject): ContentBlock[] {
  const { content } = message;
  const annotations = Array.isArray(message.annotations) && message.annotations.length > 0 ? message.annotations : null;
  if (typeof content === 'string') {
    if (content === '') return [];
    return [{ type: 'text', text: content, ...(annotations === null ? {} : { annotations }) }];
  }
  const blocks: ContentBlock[] = [];
  for (const part of Array.isArray(content) ? content : []) {
    if (!isJsonObject(part)) continue;
    if (part.type === 'text' && typeof part.text === 'string') blocks.push({ type: 'text', text: part.text });
    else if (part.type === 'thinking') blocks.push({ type: 'reasoning', text: thinkingText(part.thinking) });
  }
  return blocks;
}

export function thinkingText(thinking: Json | undefined): string {
  if (typeof thinking === 'string') return thinking;
  if (!Array.isArray(thinking)) return '';
  return thinking.map((part) => (isJsonObject(part) && typeof part.text === 'string' ? part.text : '')).join('');
}

function encode(response: NeutralResponse, options: AnswerOptions): JsonObject {
  const choices = response.choices.map(encodeChoice);
  const merged = options.mergesReasoning ? mergedChoices(choices, new ReasoningMerger()) : undefined;
  return {
    id: response.id === '' ? `chatcmpl-${options.requestId}` : response.id,
    object: 'chat.completion',
    created: response.createdAt ?? options.createdAt,
    model: options.model ?? response.model,
    choices: merged ?? choices,
    ...(response.usage === undefined ? {} : { usage: encodeUsage(response.usage) }),
    ...(response.usage?.serviceTier === undefined ? {} : { service_tier: response.usage.serviceTier }),
    ...response.extra,
  };
}

function encodeChoice(choice: NeutralChoice): JsonObject {
  const text: string[] = [];
  const refusal: string[] = [];
  const reasoning: string[] = [];
  const thinking: JsonObject[] = [];
  const calls: JsonObject[] = [];
  const annotations: Json[] = [];
  const vendorBlocks: JsonObject[] = [];
  const images: JsonObject[] = [];
  for (const block of choice.content) {
    if (block.type === 'text') {
      text.push(block.text);
      annotations.push(...(block.annotations ?? []));
    } else if (block.type === 'refusal') refusal.push(block.text);
    else if (block.type === 'reasoning') {
      if (block.redacted === undefined) reasoning.push(block.text);
      thinking.push(encodeThinking(block));
    } else if (block.type === 'tool_call') calls.push({ index: calls.length, ...encodeToolCall(block, false) });
    else if (block.type === 'image') images.push(encodeImage(block.source, images.length));
    else if (block.type === 'vendor') vendorBlocks.push(block.block);
  }
  const isSigned = choice.content.some(
    (block) => block.type === 'reasoning' && (block.signature !== undefined || block.redacted !== undefined),
  );
  const message: JsonObject = {
    role: 'assistant',
    content: text.length === 0 && (calls.length > 0 || refusal.length > 0) ? null : text.join(''),
    ...(refusal.length > 0 ? { refusal: refusal.join('') } : {}),
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : {}),
    ...(isSigned ? { thinking_blocks: thinking } : {}),
    ...(images.length > 0 ? { images } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...vendorFields(annotations, vendorBlocks, text.join('').length),
  };
  return {
    index: choice.index,
    message,
    logprobs: choice.logprobs ?? null,
    finish_reason: encodeFinishReason(choice.finishReason),
    ...(choice.stopSequence === undefined ? {} : { stop_reason: choice.stopSequence }),
  };
}

/** What this format has no place for: cited addresses take its own shape, other formats' citations and hosted tools go aside. */
function vendorFields(annotations: Json[], blocks: JsonObject[], textLength: number): JsonObject {
  const citations = annotations.filter((entry) => !isOwnCitation(entry));
  const own = annotations.map((entry) => ownCitation(entry, textLength)).filter((entry) => entry !== undefined);
  const fields: JsonObject = {};
  if (citations.length > 0) fields.citations = citations;
  const searches = blocks.filter((block) => block.type === 'web_search_tool_result');
  const others = blocks.filter((block) => block.type !== 'web_search_tool_result');
  if (searches.length > 0) fields.web_search_results = searches;
  if (others.length > 0) fields.blocks = others;
  return {
    ...(own.length > 0 ? { annotations: own } : {}),
    ...(Object.keys(fields).length > 0 ? { provider_specific_fields: fields } : {}),
  };
}

/** The caller's model name, and reasoning in the content where that is wanted. */
function restamp(body: JsonObject, { model, mergesReasoning = false }: AnswerOptions): BodyEdits {
  const merged = mergesReasoning ? mergedAnswer(body) : noEdits;
  return model === undefined || body.model === undefined || body.model === model
    ? merged
    : new Map([...merged, ['model', model]]);
}

const noEdits: BodyEdits = new Map();

export const chatResponse: Dialect['response'] = { decode, encode, read: readAnswer, restamp };

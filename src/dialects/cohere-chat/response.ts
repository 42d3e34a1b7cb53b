import type { AnswerOptions, Dialect, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, FinishReason, NeutralResponse } from '../../core/neutral.ts';
import { noUsage, totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import { unknownMembers } from '../body-checks.ts';
import { citedAddress } from '../cited-address.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { decodeToolCalls } from '../openai-chat/decode-messages.ts';
import { count } from '../openai-chat/usage.ts';
import { assistantMessage } from './messages.ts';

const neutralFields: ReadonlySet<string> = new Set(['id', 'finish_reason', 'message', 'usage', 'logprobs', 'prompt']);

const finishReasons: Readonly<Record<string, FinishReason>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  ERROR_LIMIT: 'length',
  TOOL_CALL: 'tool_calls',
  ERROR_TOXIC: 'content_filter',
};
const toldReasons: Readonly<Record<FinishReason, string>> = {
  stop: 'COMPLETE',
  length: 'MAX_TOKENS',
  tool_calls: 'TOOL_CALL',
  content_filter: 'ERROR_TOXIC',
  pause: 'COMPLETE',
};

/** undefined for an answer that failed. */
export function decodeFinish(reason: unknown): FinishReason | undefined {
  if (reason === 'ERROR' || reason === 'TIMEOUT') return undefined;
  return finishReasons[String(reason)] ?? 'stop';
}

export function encodeFinish(reason: FinishReason, stopSequence: string | undefined): string {
  return reason === 'stop' && stopSequence !== undefined ? 'STOP_SEQUENCE' : toldReasons[reason];
}

/** `billed_units` leaves out what the provider itself puts before a request; `tokens` is what the model read. */
export function decodeUsage(usage: unknown): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const tokens = isJsonObject(usage.tokens) ? usage.tokens : usage.billed_units;
  if (!isJsonObject(tokens)) return undefined;
  const input = count(tokens.input_tokens);
  const cached = Math.min(input, count(usage.cached_tokens));
  return {
    ...noUsage,
    inputTokens: input - cached,
    cacheReadTokens: cached,
    outputTokens: count(tokens.output_tokens),
  };
}

export function encodeUsage(usage: Usage): JsonObject {
  const figures = { input_tokens: totalInputTokens(usage), output_tokens: totalOutputTokens(usage) };
  return {
    billed_units: figures,
    tokens: figures,
    ...(usage.cacheReadTokens > 0 ? { cached_tokens: usage.cacheReadTokens } : {}),
  };
}

/** The message of a whole answer; throws when the body is none. */
function messageOf(body: JsonObject): JsonObject {
  if (!isJsonObject(body.message)) throw notAnAnswer('message');
  if (decodeFinish(body.finish_reason) === undefined) {
    throw new GatewayError('upstream_error', 'The provider could not complete the answer.');
  }
  return body.message;
}

function decode(body: JsonObject): NeutralResponse {
  const message = messageOf(body);
  return {
    id: typeof body.id === 'string' ? body.id : '',
    model: '',
    createdAt: undefined,
    choices: [
      {
        index: 0,
        content: decodeContent(message),
        finishReason: decodeFinish(body.finish_reason) ?? 'stop',
        ...(body.logprobs === undefined || body.logprobs === null ? {} : { logprobs: body.logprobs }),
      },
    ],
    usage: decodeUsage(body.usage),
    extra: unknownMembers(body, neutralFields),
  };
}

function decodeContent(message: JsonObject): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  if (typeof message.tool_plan === 'string' && message.tool_plan !== '') {
    blocks.push({ type: 'text', text: message.tool_plan });
  }
  const citations: readonly Json[] = Array.isArray(message.citations) ? message.citations : [];
  for (const [index, part] of (Array.isArray(message.content) ? message.content : []).entries()) {
    if (!isJsonObject(part)) continue;
    if (part.type === 'thinking') blocks.push({ type: 'reasoning', text: String(part.thinking ?? '') });
    else if (typeof part.text === 'string') {
      const own = citations.filter((citation) => isJsonObject(citation) && (citation.content_index ?? 0) === index);
      blocks.push({ type: 'text', text: part.text, ...(own.length === 0 ? {} : { annotations: own }) });
    }
  }
  return [...blocks, ...decodeToolCalls(message)];
}

function encode(response: NeutralResponse, options: AnswerOptions): JsonObject {
  const choice = response.choices[0];
  return {
    id: response.id === '' ? options.requestId : response.id,
    finish_reason: encodeFinish(choice?.finishReason ?? 'stop', choice?.stopSequence),
    message: encodeMessage(choice?.content ?? []),
    ...(response.usage === undefined ? {} : { usage: encodeUsage(response.usage) }),
    ...(choice?.logprobs === undefined ? {} : { logprobs: choice.logprobs }),
    ...unknownMembers(response.extra, foreignFields),
  };
}

const foreignFields: ReadonlySet<string> = new Set([
  'system_fingerprint',
  'service_tier',
  'object',
  'created',
  'x_groq',
]);

function encodeMessage(content: readonly ContentBlock[]): JsonObject {
  const told = content.filter(({ type }) => ['text', 'refusal', 'reasoning', 'tool_call'].includes(type));
  const { content: parts, ...message } = assistantMessage({ content: told });
  const list = typeof parts === 'string' ? [{ type: 'text', text: parts }] : parts;
  const citations = citationsOf(told);
  return {
    ...message,
    ...(list === undefined || (Array.isArray(list) && list.length === 0 && message.tool_calls !== undefined)
      ? {}
      : { content: list }),
    ...(citations.length > 0 ? { citations } : {}),
  };
}

function citationsOf(content: readonly ContentBlock[]): JsonObject[] {
  let index = -1;
  return content.flatMap((block) => {
    if (block.type !== 'tool_call') index += 1;
    if (block.type !== 'text') return [];
    return (block.annotations ?? [])
      .map((annotation) => encodeCitation(annotation, block.text, index))
      .filter((citation) => citation !== undefined);
  });
}

/** This format's own citations as they are; a cited address as a document. */
export function encodeCitation(annotation: Json, text: string, index: number): JsonObject | undefined {
  if (!isJsonObject(annotation)) return undefined;
  if (Array.isArray(annotation.sources)) return annotation;
  const cited = citedAddress(annotation);
  if (cited === undefined) return undefined;
  const { url, title, start = 0, end = text.length } = cited;
  const document = { url, ...(title === undefined ? {} : { title }) };
  return {
    start,
    end,
    text: text.slice(start, end),
    sources: [{ type: 'document', id: url, document }],
    ...(index > 0 ? { content_index: index } : {}),
  };
}

function read(body: JsonObject): ResponseFacts {
  const message = messageOf(body);
  return {
    id: typeof body.id === 'string' ? body.id : undefined,
    model: undefined,
    usage: decodeUsage(body.usage),
    finishReason: typeof body.finish_reason === 'string' ? body.finish_reason : null,
    outputBytes: generatedBytes(message),
  };
}

/** UTF-8 bytes of what stands in a message or in the message of a delta. */
export function generatedBytes(message: JsonObject): number {
  let bytes = lengthOf(message.tool_plan);
  for (const part of asList(message.content)) bytes += lengthOf(part.text) + lengthOf(part.thinking);
  for (const call of asList(message.tool_calls)) {
    if (isJsonObject(call.function)) bytes += lengthOf(call.function.name) + lengthOf(call.function.arguments);
  }
  return bytes;
}

/** Deltas have one where whole answers have a list. */
function asList(value: Json | undefined): JsonObject[] {
  return (Array.isArray(value) ? value : [value ?? null]).filter(isJsonObject);
}

function lengthOf(value: Json | undefined): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

export const cohereResponse: Dialect['response'] = { decode, encode, read };

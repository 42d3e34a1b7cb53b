import type { AnswerOptions, BodyEdits, Dialect, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, FinishReason, MediaSource, NeutralResponse } from '../../core/neutral.ts';
import { unknownMembers } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { customInput, customToolNames } from './custom-tools.ts';
import { decodeContent, decodeOutputItem } from './decode-items.ts';
import { outputPart } from './encode-items.ts';
import { failureFacts } from './errors.ts';
import { conversationId } from './inspect.ts';
import { reasoningItem } from './reasoning.ts';
import { itemId, responseObject } from './response-object.ts';
import { decodeUsage } from './usage.ts';

/** Members of the answer that repeat the request, or have a place of their own in the neutral form. */
const knownFields: ReadonlySet<string> = new Set(
  `id object created_at completed_at status background error incomplete_details output output_text usage model
   instructions max_output_tokens max_tool_calls metadata parallel_tool_calls previous_response_id prompt_cache_key
   prompt_cache_retention reasoning safety_identifier service_tier store temperature text tool_choice tools top_logprobs
   top_p truncation user conversation prompt billing frequency_penalty presence_penalty content_filters`.split(/\s+/),
);

function outputOf(body: JsonObject): Json[] {
  if (body.status === 'failed' || (isJsonObject(body.error) && !Array.isArray(body.output))) {
    const { message, status } = failureFacts(body);
    throw new GatewayError('upstream_error', message ?? 'The provider could not complete the answer.', {
      ...(status === undefined ? {} : { status }),
    });
  }
  if (!Array.isArray(body.output)) throw notAnAnswer('output');
  return body.output;
}

function decode(body: JsonObject): NeutralResponse {
  const content: ContentBlock[] = [];
  for (const item of outputOf(body)) {
    if (!isJsonObject(item)) continue;
    if (item.type === 'message') content.push(...decodeContent(item.content));
    else {
      const block = decodeOutputItem(item);
      if (block !== null) content.push(block);
    }
  }
  return {
    id: typeof body.id === 'string' ? body.id : '',
    model: typeof body.model === 'string' ? body.model : '',
    createdAt: typeof body.created_at === 'number' ? body.created_at : undefined,
    choices: [{ index: 0, content, finishReason: decodeFinish(body, content.some(isCall)) }],
    usage: decodeUsage(body.usage, body.service_tier, body.output),
    extra: unknownMembers(body, knownFields),
  };
}

function isCall(block: ContentBlock): boolean {
  return block.type === 'tool_call';
}

export function decodeFinish(response: JsonObject, hasCalled: boolean): FinishReason {
  const details = isJsonObject(response.incomplete_details) ? response.incomplete_details : {};
  if (response.status === 'incomplete' || details.reason !== undefined) {
    return details.reason === 'content_filter' ? 'content_filter' : 'length';
  }
  return hasCalled ? 'tool_calls' : 'stop';
}

function encode(response: NeutralResponse, options: AnswerOptions): JsonObject {
  const choice = response.choices[0];
  const facts = {
    ...response,
    output: outputItems(choice?.content ?? [], options),
    finish: choice?.finishReason ?? 'stop',
  };
  return { ...responseObject(facts, options), ...unknownMembers(response.extra, foreignFields) };
}

/** Fields of other formats' answers that mean nothing here. */
const foreignFields: ReadonlySet<string> = new Set([
  'system_fingerprint',
  'service_tier',
  'object',
  'created',
  'x_groq',
]);

/** Texts that follow each other are one message. */
function outputItems(content: readonly ContentBlock[], options: AnswerOptions): JsonObject[] {
  const custom = customToolNames(options.request?.body);
  const items: JsonObject[] = [];
  let parts: JsonObject[] | undefined;
  for (const block of content) {
    if (block.type === 'text' || block.type === 'refusal') {
      if (parts === undefined) {
        parts = [];
        const id = itemId('message', items.length, options);
        items.push({ id, type: 'message', status: 'completed', role: 'assistant', content: parts });
      }
      parts.push(messagePart(block));
      continue;
    }
    const item = outputItem(block, items.length, custom, options);
    if (item === null) continue;
    parts = undefined;
    items.push(item);
  }
  return items;
}

/** Clients expect the list of log probabilities to be there. */
function messagePart(block: ContentBlock): JsonObject {
  return block.type === 'text' ? { ...outputPart(block), logprobs: [] } : outputPart(block);
}

function outputItem(
  block: ContentBlock,
  index: number,
  custom: ReadonlySet<string>,
  options: AnswerOptions,
): JsonObject | null {
  switch (block.type) {
    case 'reasoning':
      return reasoningItem(block, itemId('reasoning', index, options));
    case 'tool_call':
      return callItem(block, index, custom, options);
    case 'image':
      return imageItem(block.source, index, options);
    case 'vendor':
      // What another provider's own tools did has no place here; the text that came of it goes on.
      return block.dialect === 'openai-responses' ? block.block : null;
    default:
      return null;
  }
}

/** An image that a model made: what this format's own tool for it gives. */
export function imageItem(source: MediaSource, index: number, options: AnswerOptions): JsonObject {
  const type = 'image_generation_call';
  const made =
    source.kind === 'base64'
      ? { result: source.base64, output_format: source.mediaType.replace('image/', '') }
      : { result: source.url };
  return { id: itemId(type, index, options), type, status: 'completed', ...made };
}

export function callItem(
  call: { readonly id: string; readonly name: string; readonly arguments: string; readonly custom?: true },
  index: number,
  custom: ReadonlySet<string>,
  options: AnswerOptions,
): JsonObject {
  const isCustom = call.custom === true || custom.has(call.name);
  const type = isCustom ? 'custom_tool_call' : 'function_call';
  return {
    id: itemId(type, index, options),
    type,
    status: 'completed',
    call_id: call.id,
    name: call.name,
    ...(isCustom ? { input: customInput(call.arguments) } : { arguments: call.arguments }),
  };
}

function read(body: JsonObject): ResponseFacts {
  const output = outputOf(body);
  let outputBytes = 0;
  for (const item of output) if (isJsonObject(item)) outputBytes += generatedBytes(item);
  const details = isJsonObject(body.incomplete_details) ? body.incomplete_details : {};
  return {
    id: typeof body.id === 'string' ? body.id : undefined,
    model: typeof body.model === 'string' ? body.model : undefined,
    usage: decodeUsage(body.usage, body.service_tier, output),
    finishReason:
      typeof details.reason === 'string' ? details.reason : typeof body.status === 'string' ? body.status : null,
    outputBytes,
  };
}

/** UTF-8 bytes that the model wrote into one item. */
export function generatedBytes(item: JsonObject): number {
  let bytes = 0;
  for (const text of [item.name, item.arguments, item.input, item.text, item.refusal, item.encrypted_content]) {
    if (typeof text === 'string') bytes += Buffer.byteLength(text);
  }
  for (const parts of [item.content, item.summary]) {
    for (const part of Array.isArray(parts) ? parts : []) if (isJsonObject(part)) bytes += generatedBytes(part);
  }
  return bytes;
}

/** The members of a passing answer that are the caller's own: model, id, and what it goes on from. */
export function restamp(body: JsonObject, options: AnswerOptions): BodyEdits {
  const edits = new Map<string, unknown>();
  if (options.model !== undefined && body.model !== undefined && body.model !== options.model) {
    edits.set('model', options.model);
  }
  const { answerId } = options;
  if (answerId !== undefined && typeof body.id === 'string') {
    edits.set('id', answerId(body.id));
    const request = options.request?.body;
    const previous = request?.previous_response_id;
    if (typeof previous === 'string' && body.previous_response_id !== previous) {
      edits.set('previous_response_id', previous);
    }
    const conversation = request === undefined ? undefined : conversationId(request);
    if (conversation !== undefined) edits.set('conversation', { id: conversation });
  }
  return edits;
}

export const responsesResponse: Dialect['response'] = { decode, encode, read, restamp };

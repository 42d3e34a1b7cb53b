import type { AnswerOptions, Dialect, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, FinishReason, NeutralResponse } from '../../core/neutral.ts';
import { unknownMembers } from '../body-checks.ts';
import { factsOf } from '../error-facts.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { toldCitations } from './citations.ts';
import { decodeContent, jsonToolName } from './decode-content.ts';
import { encodeReasoning, toolInput } from './encode-content.ts';
import { statusOfType } from './errors.ts';
import { decodeStopReason, encodeStopReason } from './stop-reason.ts';
import { decodeUsage, encodeUsage } from './usage.ts';

const neutralFields: ReadonlySet<string> = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'stop_reason',
  'stop_sequence',
  'usage',
]);

function contentOf(body: JsonObject): Json[] {
  if (body.type === 'error' || isJsonObject(body.error)) {
    const facts = factsOf(body);
    const status = statusOfType(facts.type);
    throw new GatewayError('upstream_error', facts.message ?? 'The provider answered with an error.', {
      ...(status === undefined ? {} : { status }),
    });
  }
  if (!Array.isArray(body.content)) throw notAnAnswer('content');
  return body.content;
}

function decode(body: JsonObject): NeutralResponse {
  const content = decodeContent(contentOf(body));
  const { blocks, isStructured } = withStructuredText(content);
  const stopSequence = typeof body.stop_sequence === 'string' ? { stopSequence: body.stop_sequence } : {};
  const reason = typeof body.stop_reason === 'string' ? decodeStopReason(body.stop_reason) : 'stop';
  return {
    id: typeof body.id === 'string' ? body.id : '',
    model: typeof body.model === 'string' ? body.model : '',
    createdAt: undefined,
    choices: [
      { index: 0, content: blocks, finishReason: finishReasonOf(reason, isStructured, blocks), ...stopSequence },
    ],
    usage: decodeUsage(body.usage),
    extra: unknownMembers(body, neutralFields),
  };
}

/** An answer given through the stand-in tool for structured output is a text. */
function withStructuredText(content: ContentBlock[]): { blocks: ContentBlock[]; isStructured: boolean } {
  let isStructured = false;
  const blocks = content.map((block): ContentBlock => {
    if (block.type !== 'tool_call' || block.name !== jsonToolName) return block;
    isStructured = true;
    return { type: 'text', text: block.arguments };
  });
  return { blocks, isStructured };
}

function finishReasonOf(reason: FinishReason, isStructured: boolean, blocks: readonly ContentBlock[]): FinishReason {
  if (!isStructured || reason !== 'tool_calls') return reason;
  return blocks.some((block) => block.type === 'tool_call') ? 'tool_calls' : 'stop';
}

/** Fields of other formats' answers that mean nothing here. */
const foreignFields: ReadonlySet<string> = new Set([
  'system_fingerprint',
  'service_tier',
  'object',
  'created',
  'x_groq',
]);

function encode(response: NeutralResponse, options: AnswerOptions): JsonObject {
  const choice = response.choices[0];
  const stopSequence = choice?.stopSequence;
  return {
    id: response.id === '' ? `msg_${options.requestId}` : response.id,
    type: 'message',
    role: 'assistant',
    model: options.model ?? response.model,
    content: answerOrder(choice?.content ?? [])
      .filter(isOwn)
      .map(encodeBlock),
    stop_reason: encodeStopReason(choice?.finishReason ?? 'stop', stopSequence),
    stop_sequence: stopSequence ?? null,
    usage: encodeUsage(response.usage),
    ...unknownMembers(response.extra, foreignFields),
  };
}

/** Thinking, then text, then calls; blocks of this format's own keep their places. */
function answerOrder(content: readonly ContentBlock[]): ContentBlock[] {
  if (content.some((block) => block.type === 'vendor')) return [...content];
  const rank = (block: ContentBlock) => (block.type === 'reasoning' ? 0 : block.type === 'tool_call' ? 2 : 1);
  return [...content].sort((a, b) => rank(a) - rank(b));
}

/** What only another format knows has no place here. */
function isOwn(block: ContentBlock): boolean {
  return block.type !== 'vendor' || block.dialect === 'anthropic-messages';
}

function encodeBlock(block: ContentBlock): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, ...toldCitations(block.annotations, block.text) };
    case 'refusal':
      return { type: 'text', text: block.text };
    case 'reasoning':
      return encodeReasoning(block);
    case 'tool_call':
      return { type: 'tool_use', id: block.id, name: block.name, input: inputOrText(block.id, block.arguments) };
    case 'vendor':
      return block.block;
    case 'image':
    case 'audio':
    case 'file':
    case 'tool_result':
      return { type: 'text', text: '' };
    default:
      return block satisfies never;
  }
}

/** A model may write broken JSON: the caller gets to see it rather than an error. */
function inputOrText(id: string, text: string): JsonObject {
  try {
    return toolInput(id, text);
  } catch {
    return { arguments: text };
  }
}

function read(body: JsonObject): ResponseFacts {
  let outputBytes = 0;
  for (const block of contentOf(body)) if (isJsonObject(block)) outputBytes += generatedBytes(block);
  return {
    id: typeof body.id === 'string' ? body.id : undefined,
    model: typeof body.model === 'string' ? body.model : undefined,
    usage: decodeUsage(body.usage),
    finishReason: typeof body.stop_reason === 'string' ? body.stop_reason : null,
    outputBytes,
  };
}

/** UTF-8 bytes that the model wrote into one block. */
export function generatedBytes(block: JsonObject): number {
  let bytes = 0;
  for (const text of [block.text, block.thinking, block.data, block.name]) {
    if (typeof text === 'string') bytes += Buffer.byteLength(text);
  }
  if (isJsonObject(block.input) && Object.keys(block.input).length > 0) {
    bytes += Buffer.byteLength(JSON.stringify(block.input));
  }
  return bytes;
}

export const messageResponse: Dialect['response'] = { decode, encode, read };

import type { Dialect, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, NeutralResponse } from '../../core/neutral.ts';
import { jsonToolName } from '../anthropic-messages/decode-content.ts';
import { toolInput } from '../anthropic-messages/encode-content.ts';
import { unknownMembers } from '../body-checks.ts';
import { factsOf } from '../error-facts.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { plainCallId } from '../thought-signature.ts';
import { decodeContent } from './decode-content.ts';
import { encodeReasoning, encodeText } from './encode-content.ts';
import { encodeMedia } from './media.ts';
import { decodeStopReason, encodeStopReason } from './stop-reason.ts';
import { decodeUsage, encodeUsage } from './usage.ts';

const neutralFields: ReadonlySet<string> = new Set(['output', 'stopReason', 'usage', 'metrics', 'serviceTier']);

function contentOf(body: JsonObject): Json[] {
  const message = isJsonObject(body.output) ? body.output.message : undefined;
  if (isJsonObject(message) && Array.isArray(message.content)) return message.content;
  if (typeof body.message === 'string' || body.error !== undefined) {
    throw new GatewayError('upstream_error', factsOf(body).message ?? 'The provider answered with an error.');
  }
  throw notAnAnswer('output.message.content');
}

function decode(body: JsonObject): NeutralResponse {
  const decoded = decodeContent(contentOf(body));
  let isStructured = false;
  // An answer given through the stand-in tool for structured output is a text.
  const content = decoded.map((block): ContentBlock => {
    if (block.type !== 'tool_call' || block.name !== jsonToolName) return block;
    isStructured = true;
    return { type: 'text', text: block.arguments };
  });
  const reason = decodeStopReason(body.stopReason);
  const isCalling = content.some((block) => block.type === 'tool_call');
  return {
    id: '',
    model: '',
    createdAt: undefined,
    choices: [
      { index: 0, content, finishReason: isStructured && reason === 'tool_calls' && !isCalling ? 'stop' : reason },
    ],
    usage: decodeUsage(body.usage, body.serviceTier),
    extra: unknownMembers(body, neutralFields),
  };
}

/** Fields of other formats' answers that mean nothing here. */
const ownExtras: ReadonlySet<string> = new Set(['additionalModelResponseFields', 'trace', 'performanceConfig']);

function encode(response: NeutralResponse): JsonObject {
  const choice = response.choices[0];
  const content = (choice?.content ?? []).map(encodeBlock).filter((block) => block !== null);
  const extra = Object.entries(response.extra).filter(([name]) => ownExtras.has(name) || name.startsWith('x_'));
  const tier = response.usage?.serviceTier;
  return {
    output: { message: { role: 'assistant', content } },
    stopReason: encodeStopReason(choice?.finishReason ?? 'stop', choice?.stopSequence),
    usage: encodeUsage(response.usage),
    metrics: { latencyMs: 0 },
    ...(tier === undefined ? {} : { serviceTier: { type: tier } }),
    ...Object.fromEntries(extra),
  };
}

/** null for a block that only another format knows. */
export function encodeBlock(block: ContentBlock): JsonObject | null {
  switch (block.type) {
    case 'text':
      return encodeText(block);
    case 'refusal':
      return { text: block.text };
    case 'reasoning':
      return encodeReasoning(block);
    case 'tool_call':
      return {
        toolUse: { toolUseId: plainCallId(block.id), name: block.name, input: inputOrText(block.arguments) },
      };
    case 'image':
      return block.source.kind === 'base64' ? encodeMedia(block) : null;
    case 'vendor':
      return block.dialect === 'bedrock-converse' ? block.block : null;
    case 'audio':
    case 'file':
    case 'tool_result':
      return null;
    default:
      return block satisfies never;
  }
}

/** A model may write broken JSON: the caller gets to see it rather than an error. */
function inputOrText(text: string): JsonObject {
  try {
    return toolInput('', text);
  } catch {
    return { arguments: text };
  }
}

function read(body: JsonObject): ResponseFacts {
  const content = contentOf(body);
  return {
    id: undefined,
    model: undefined,
    usage: decodeUsage(body.usage, body.serviceTier),
    finishReason: typeof body.stopReason === 'string' ? body.stopReason : null,
    outputBytes: content.filter(isJsonObject).reduce((sum, block) => sum + generatedBytes(block), 0),
  };
}

/** UTF-8 bytes that the model wrote into one block, or one delta of it. */
export function generatedBytes(block: JsonObject): number {
  if (typeof block.text === 'string') return Buffer.byteLength(block.text);
  const { reasoningContent: reasoning, toolUse: call } = block;
  const text = isJsonObject(reasoning)
    ? (reasoning.text ?? reasoning.redactedContent ?? reasoning.reasoningText)
    : isJsonObject(call)
      ? call.input
      : block;
  if (text === undefined || text === null) return 0;
  return Buffer.byteLength(typeof text === 'string' ? text : JSON.stringify(text));
}

export const converseResponse: Dialect['response'] = { decode, encode, read };

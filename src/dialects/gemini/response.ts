import type { AnswerOptions, Dialect, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, NeutralChoice, NeutralResponse } from '../../core/neutral.ts';
import { toolInput } from '../anthropic-messages/encode-content.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { splitCallId, tellGoogleCaller } from '../thought-signature.ts';
import { CallIds, decodePart, partsOf } from './decode-content.ts';
import { encodeMedia } from './encode-content.ts';
import { googleErrorFacts } from './errors.ts';
import { field } from './fields.ts';
import { decodeFinishReason, encodeFinishReason } from './finish-reason.ts';
import { candidateFactsOf, citationsOf, groundingOf, isCandidateFact } from './grounding.ts';
import { decodeLogprobs, encodeLogprobs } from './logprobs.ts';
import { decodeUsage, encodeUsage, searchesOf } from './usage.ts';

const neutralFields: ReadonlySet<string> = new Set([
  'candidates',
  'usageMetadata',
  'modelVersion',
  'responseId',
  'createTime',
  'promptFeedback',
  'model',
]);

/** The candidates of an answer; none when the prompt was refused. Throws for what is no answer. */
export function candidatesOf(body: JsonObject): JsonObject[] {
  if (body.error !== undefined) {
    const facts = googleErrorFacts(body);
    const { status } = facts;
    throw new GatewayError('upstream_error', facts.message ?? 'The provider answered with an error.', {
      ...(status === undefined ? {} : { status }),
    });
  }
  const candidates = field(body, 'candidates');
  if (Array.isArray(candidates)) return candidates.filter(isJsonObject);
  if (blockReasonOf(body) !== undefined || isJsonObject(field(body, 'usageMetadata'))) return [];
  throw notAnAnswer('candidates');
}

/** Why the prompt was refused, where it was. */
export function blockReasonOf(body: JsonObject): string | undefined {
  const feedback = field(body, 'promptFeedback');
  const reason = isJsonObject(feedback) ? field(feedback, 'blockReason') : undefined;
  return typeof reason === 'string' ? reason : undefined;
}

export function contentOf(candidate: JsonObject): JsonObject {
  const content = field(candidate, 'content');
  return isJsonObject(content) ? content : {};
}

/** What makes ids for calls unique beyond this answer. */
export function idPrefixOf(body: JsonObject, choice: number): string {
  const id = textOf(field(body, 'responseId'));
  return id === '' && choice === 0 ? '' : `${id}_${choice}_`;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function decode(body: JsonObject): NeutralResponse {
  const candidates = candidatesOf(body);
  const model = textOf(field(body, 'modelVersion'));
  const choices = candidates.map((candidate, position) => decodeCandidate(body, candidate, position));
  if (choices.length === 0) choices.push({ index: 0, content: [], finishReason: 'content_filter' });
  const created = Date.parse(textOf(field(body, 'createTime')));
  const extra = Object.entries(body).filter(([name]) => !neutralFields.has(name));
  return {
    id: textOf(field(body, 'responseId')),
    model,
    createdAt: Number.isNaN(created) ? undefined : Math.floor(created / 1_000),
    choices,
    usage: decodeUsage(field(body, 'usageMetadata'), searchesOf(candidates, model)),
    extra: Object.fromEntries(extra),
  };
}

function decodeCandidate(body: JsonObject, candidate: JsonObject, position: number): NeutralChoice {
  const given = field(candidate, 'index');
  const index = typeof given === 'number' ? given : position;
  const ids = new CallIds(idPrefixOf(body, index));
  const content = merged(partsOf(contentOf(candidate)).flatMap((part) => decodePart(part, ids)));
  const cited = content.findLast((block) => block.type === 'text');
  if (cited?.type === 'text') {
    const citations = citationsOf(candidate, cited.text);
    if (citations.length > 0) cited.annotations = citations;
  }
  for (const block of candidateFactsOf(candidate)) content.push({ type: 'vendor', dialect: 'gemini-generate', block });
  const isCalling = content.some((block) => block.type === 'tool_call');
  const logprobs = decodeLogprobs(field(candidate, 'logprobsResult'));
  return {
    index,
    content,
    finishReason: decodeFinishReason(textOf(field(candidate, 'finishReason')), isCalling),
    ...(logprobs === undefined ? {} : { logprobs }),
  };
}

/** A whole answer may come in as many parts as a stream has: texts that follow each other are one. */
function merged(blocks: ContentBlock[]): ContentBlock[] {
  const content: ContentBlock[] = [];
  for (const block of blocks) {
    const last = content.at(-1);
    if (block.type === 'text' && last?.type === 'text') last.text += block.text;
    else if (block.type === 'reasoning' && last?.type === 'reasoning' && isUnsigned(last)) {
      last.text += block.text;
      Object.assign(last, { ...block, text: last.text });
    } else content.push(block);
  }
  return content;
}

function isUnsigned(block: { signature?: string; redacted?: string }): boolean {
  return block.signature === undefined && block.redacted === undefined;
}

function encode(response: NeutralResponse, options: AnswerOptions): JsonObject {
  return {
    candidates: response.choices.map(encodeChoice),
    ...(response.usage === undefined ? {} : { usageMetadata: encodeUsage(response.usage) }),
    modelVersion: options.model ?? response.model,
    responseId: response.id === '' ? options.requestId : response.id,
    ...(response.createdAt === undefined ? {} : { createTime: new Date(response.createdAt * 1_000).toISOString() }),
    ...response.extra,
  };
}

function encodeChoice(choice: NeutralChoice): JsonObject {
  const parts: JsonObject[] = [];
  const facts: JsonObject = {};
  for (const block of choice.content) {
    if (block.type === 'vendor' && block.dialect === 'gemini-generate' && isCandidateFact(block.block)) {
      Object.assign(facts, block.block);
    } else {
      const part = encodePart(block);
      if (part !== null) parts.push(part);
    }
  }
  const cited = choice.content.findLast((block) => block.type === 'text' && block.annotations !== undefined);
  if (cited?.type === 'text' && facts.groundingMetadata === undefined) {
    Object.assign(facts, groundingOf(cited.text, cited.annotations ?? []));
  }
  const logprobs = encodeLogprobs(choice.logprobs);
  return {
    content: { role: 'model', parts },
    finishReason: encodeFinishReason(choice.finishReason),
    index: choice.index,
    ...facts,
    ...(logprobs === undefined ? {} : { logprobsResult: logprobs }),
  };
}

/** null for a block that only another format knows. */
export function encodePart(block: ContentBlock): JsonObject | null {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return { text: block.text };
    case 'reasoning': {
      const thoughtSignature = tellGoogleCaller(block);
      const signed = thoughtSignature === undefined ? {} : { thoughtSignature };
      const isThought = block.text !== '' || block.redacted !== undefined;
      return { text: block.text, ...(isThought ? { thought: true } : {}), ...signed };
    }
    case 'tool_call': {
      const { id, thoughtSignature } = splitCallId(block.id);
      return {
        functionCall: { id, name: block.name, args: argumentsOf(block.arguments) },
        ...(thoughtSignature === undefined ? {} : { thoughtSignature }),
      };
    }
    case 'image':
    case 'audio':
      return encodeMedia(block.source);
    case 'file':
      return block.source.kind === 'id' ? null : encodeMedia(block.source, block.name);
    case 'vendor':
      return block.dialect === 'gemini-generate' ? block.block : null;
    case 'tool_result':
      return null;
    default:
      return block satisfies never;
  }
}

/** A model may write broken JSON: the caller gets to see it rather than an error. */
function argumentsOf(text: string): JsonObject {
  try {
    return toolInput('', text);
  } catch {
    return { arguments: text };
  }
}

function read(body: JsonObject): ResponseFacts {
  const candidates = candidatesOf(body);
  const model = textOf(field(body, 'modelVersion'));
  const [first] = candidates;
  const reason = first === undefined ? blockReasonOf(body) : field(first, 'finishReason');
  return {
    id: textOf(field(body, 'responseId')) || undefined,
    model: model === '' ? undefined : model,
    usage: decodeUsage(field(body, 'usageMetadata'), searchesOf(candidates, model)),
    finishReason: typeof reason === 'string' ? reason : null,
    outputBytes: candidates.reduce((sum, candidate) => sum + generatedBytes(candidate), 0),
  };
}

/** UTF-8 bytes that the model wrote into one candidate, or one event of it. */
export function generatedBytes(candidate: JsonObject): number {
  let bytes = 0;
  for (const part of partsOf(contentOf(candidate))) {
    const text = field(part, 'text');
    if (typeof text === 'string') bytes += Buffer.byteLength(text);
    else {
      const made = field(part, 'functionCall') ?? field(part, 'inlineData') ?? part;
      bytes += Buffer.byteLength(JSON.stringify(made));
    }
  }
  return bytes;
}

export const generateResponse: Dialect['response'] = { decode, encode, read };

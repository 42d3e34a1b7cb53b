import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, MediaSource, NeutralMessage, TextBlock, ToolResultBlock } from '../../core/neutral.ts';
import { fromGoogleCaller, signedCallId } from '../thought-signature.ts';
import { field } from './fields.ts';

const dialect = 'gemini-generate';

/** Contents that `inspectGenerate` has checked. Calls without an id get one, and results find theirs by name. */
export function decodeContents(contents: readonly Json[]): { system: TextBlock[]; messages: NeutralMessage[] } {
  const system: TextBlock[] = [];
  const messages: NeutralMessage[] = [];
  const calls = new CallIds();
  for (const content of contents) {
    if (!isJsonObject(content)) continue;
    const role = field(content, 'role');
    if (role === 'system') system.push(...decodeSystem(content));
    else {
      const blocks = partsOf(content).flatMap((part) => decodePart(part, calls));
      messages.push({ role: role === 'model' ? 'assistant' : 'user', content: blocks });
    }
  }
  return { system, messages };
}

export function decodeSystem(content: JsonObject | undefined): TextBlock[] {
  if (content === undefined) return [];
  return partsOf(content)
    .map((part) => field(part, 'text'))
    .filter((text) => typeof text === 'string')
    .map((text) => ({ type: 'text', text }));
}

export function partsOf(content: JsonObject): JsonObject[] {
  const parts = field(content, 'parts');
  return Array.isArray(parts) ? parts.filter(isJsonObject) : [];
}

interface Call {
  readonly name: unknown;
  /** As written, or made. */
  readonly own: string;
  /** With the signature in it. */
  readonly id: string;
}

/** Ids for calls that have none, and the calls that results belong to. */
export class CallIds {
  readonly #prefix: string;
  #made = 0;
  readonly #unanswered: Call[] = [];

  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  ofCall(call: JsonObject, thoughtSignature: string | undefined): string {
    const given = field(call, 'id');
    const own = typeof given === 'string' && given !== '' ? given : `call_${this.#prefix}${this.#made}`;
    const id = signedCallId(own, thoughtSignature);
    this.#made += 1;
    this.#unanswered.push({ name: field(call, 'name'), own, id });
    return id;
  }

  ofResult(result: JsonObject): string {
    const given = field(result, 'id');
    const name = field(result, 'name');
    const isOwn = (call: Call) => (typeof given === 'string' ? call.own === given : call.name === name);
    const at = this.#unanswered.findIndex(isOwn);
    const [call] = at === -1 ? [] : this.#unanswered.splice(at, 1);
    return call?.id ?? (typeof given === 'string' ? given : `call_${String(name)}`);
  }
}

/** One part is one block, two where a text is signed, none where it says nothing. */
export function decodePart(part: JsonObject, calls: CallIds): ContentBlock[] {
  const given = field(part, 'thoughtSignature');
  const thoughtSignature = typeof given === 'string' && given !== '' ? given : undefined;
  const call = field(part, 'functionCall');
  if (isJsonObject(call)) {
    const args = field(call, 'args') ?? {};
    return [
      {
        type: 'tool_call',
        id: calls.ofCall(call, thoughtSignature),
        name: String(field(call, 'name') ?? ''),
        arguments: JSON.stringify(args),
      },
    ];
  }
  const text = field(part, 'text');
  const signed = thoughtSignature === undefined ? {} : fromGoogleCaller(thoughtSignature);
  if (field(part, 'thought') === true && (typeof text === 'string' || thoughtSignature !== undefined)) {
    return [{ type: 'reasoning', text: typeof text === 'string' ? text : '', ...signed }];
  }
  const blocks = decodeUnsigned(part, text, calls);
  if (thoughtSignature !== undefined) blocks.push({ type: 'reasoning', text: '', ...signed });
  return blocks;
}

function decodeUnsigned(part: JsonObject, text: Json | undefined, calls: CallIds): ContentBlock[] {
  if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }];
  const inline = field(part, 'inlineData');
  if (isJsonObject(inline)) {
    const mediaType = String(field(inline, 'mimeType') ?? 'application/octet-stream');
    return [mediaBlock(part, inline, { kind: 'base64', mediaType, base64: String(field(inline, 'data') ?? '') })];
  }
  const file = field(part, 'fileData');
  if (isJsonObject(file)) {
    const mediaType = field(file, 'mimeType');
    const url = String(field(file, 'fileUri') ?? '');
    return [mediaBlock(part, file, { kind: 'url', url, ...(typeof mediaType === 'string' ? { mediaType } : {}) })];
  }
  const response = field(part, 'functionResponse');
  if (isJsonObject(response)) return [decodeResult(response, calls)];
  const isEmpty = Object.keys(part).every((name) => name === 'thoughtSignature' || name === 'thought_signature');
  return isEmpty ? [] : [{ type: 'vendor', dialect, block: part }];
}

const partExtras = ['videoMetadata', 'mediaResolution', 'mediaProcessing'];

function mediaBlock(part: JsonObject, data: JsonObject, source: MediaSource): ContentBlock {
  const mediaType = source.mediaType ?? '';
  if (mediaType.startsWith('image/')) return { type: 'image', source };
  if (mediaType.startsWith('audio/') && source.kind === 'base64') {
    return { type: 'audio', source, format: mediaType.slice('audio/'.length) };
  }
  const name = field(data, 'displayName');
  const extra = partExtras.map((key) => [key, field(part, key)] as const).filter(([, value]) => value !== undefined);
  return {
    type: 'file',
    source,
    ...(typeof name === 'string' ? { name } : {}),
    ...(extra.length > 0 ? { extra: Object.fromEntries(extra) as JsonObject } : {}),
  };
}

function decodeResult(result: JsonObject, calls: CallIds): ToolResultBlock {
  const response = field(result, 'response');
  const said = isJsonObject(response) ? response : {};
  const error = soleText(said, 'error');
  const text = error ?? soleText(said, 'result') ?? soleText(said, 'output') ?? JSON.stringify(said);
  const content: ToolResultBlock['content'] = [{ type: 'text', text }];
  for (const part of partsOf(result)) {
    for (const block of decodePart(part, calls)) {
      if (block.type === 'image' || block.type === 'file') content.push(block);
    }
  }
  return {
    type: 'tool_result',
    toolCallId: calls.ofResult(result),
    content,
    ...(error === undefined ? {} : { isError: true }),
  };
}

/** The text in an object that holds nothing else. */
export function soleText(object: JsonObject, name: string): string | undefined {
  const [only, ...more] = Object.keys(object);
  const value = object[name];
  return only === name && more.length === 0 && typeof value === 'string' ? value : undefined;
}

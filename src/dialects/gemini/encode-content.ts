import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, MediaSource, NeutralMessage, TextBlock, ToolResultBlock } from '../../core/neutral.ts';
import { toolInput } from '../anthropic-messages/encode-content.ts';
import { inexpressible, strangeContent } from '../parameter-edits.ts';
import { ownGoogleSignature, splitCallId } from '../thought-signature.ts';
import { soleText } from './decode-content.ts';

/** Consecutive messages of one role become one. Results carry the name of the call they answer. */
export function encodeContents(messages: readonly NeutralMessage[]): JsonObject[] {
  const names = new Map<string, string>();
  const contents: { role: string; parts: JsonObject[] }[] = [];
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'model' : 'user';
    const parts: JsonObject[] = [];
    for (const block of message.content) {
      if (block.type === 'tool_call') names.set(block.id, block.name);
      const encoded = encodeBlock(block, names);
      if (encoded !== null) parts.push(...encoded);
    }
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts });
  }
  if (contents.length === 0) throw inexpressible('conversations in which nobody says anything');
  return contents;
}

export function encodeSystem(system: readonly TextBlock[]): JsonObject | undefined {
  const parts = system.filter(({ text }) => text !== '').map(({ text }) => ({ text }));
  return parts.length === 0 ? undefined : { parts };
}

/** null for what this format need not hear: empty texts, reasoning of other providers. */
function encodeBlock(block: ContentBlock, names: ReadonlyMap<string, string>): JsonObject[] | null {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text === '' ? null : [{ text: block.text }];
    case 'image':
    case 'audio':
      return [encodeMedia(block.source)];
    case 'file': {
      if (block.source.kind === 'id') throw inexpressible('files by the id of another provider: send their data');
      const { extra } = block;
      return [{ ...encodeMedia(block.source, block.name), ...(extra?.videoMetadata ? extra : {}) }];
    }
    case 'tool_call':
      return [encodeCall(block)];
    case 'tool_result':
      return encodeResult(block, names);
    case 'reasoning': {
      const thoughtSignature = ownGoogleSignature(block.signature);
      if (block.redacted !== undefined || (block.signature !== undefined && thoughtSignature === undefined))
        return null;
      return [encodeThought(block.text, thoughtSignature)];
    }
    case 'vendor':
      if (block.dialect !== 'gemini-generate') throw strangeContent(block.block);
      return [block.block];
    default:
      return block satisfies never;
  }
}

/** A signature without thoughts belongs to the text before it, and may come in a part of its own. */
export function encodeThought(text: string, thoughtSignature: string | undefined): JsonObject {
  const signed = thoughtSignature === undefined ? {} : { thoughtSignature };
  return text === '' ? { text, ...signed } : { text, thought: true, ...signed };
}

export function encodeMedia(source: MediaSource, name?: string): JsonObject {
  const displayName = name === undefined ? {} : { displayName: name };
  if (source.kind === 'base64') {
    return { inlineData: { mimeType: source.mediaType, data: source.base64, ...displayName } };
  }
  const mimeType = source.mediaType ?? typeByExtension(source.url);
  return { fileData: { ...(mimeType === undefined ? {} : { mimeType }), fileUri: source.url, ...displayName } };
}

const typesByExtension: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  pdf: 'application/pdf',
  txt: 'text/plain',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  mov: 'video/mov',
  webm: 'video/webm',
};

function typeByExtension(url: string): string | undefined {
  const extension = /\.([a-z0-9]{2,5})(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase();
  if (extension !== undefined && Object.hasOwn(typesByExtension, extension)) return typesByExtension[extension];
  // Videos of the one site that the provider reads by address.
  return /^https:\/\/(www\.)?(youtube\.com|youtu\.be)\//.test(url) ? 'video/mp4' : undefined;
}

function encodeCall(call: { id: string; name: string; arguments: string }): JsonObject {
  const { id, thoughtSignature } = splitCallId(call.id);
  return {
    functionCall: { id, name: call.name, args: toolInput(id, call.arguments) },
    ...(thoughtSignature === undefined ? {} : { thoughtSignature }),
  };
}

function encodeResult(block: ToolResultBlock, names: ReadonlyMap<string, string>): JsonObject[] {
  const name = names.get(block.toolCallId);
  if (name === undefined) {
    const id = JSON.stringify(block.toolCallId.slice(0, 80));
    throw inexpressible(`the result of a tool call that is not before it: ${id}`);
  }
  const texts = block.content.filter((part) => part.type === 'text').map((part) => part.text);
  const media = block.content.filter((part) => part.type !== 'text');
  const response = resultObject(texts.join('\n'), block.isError === true);
  return [
    { functionResponse: { id: splitCallId(block.toolCallId).id, name, response } },
    ...media.flatMap((part) => encodeBlock(part, names) ?? []),
  ];
}

/** A result that is a JSON object travels as one; every other text as its `result`, or `error`. */
function resultObject(text: string, isError: boolean): JsonObject {
  if (isError) return { error: text };
  try {
    const value: unknown = JSON.parse(text);
    const isWrapped = (object: JsonObject) =>
      ['result', 'error', 'output'].some((key) => soleText(object, key) !== undefined);
    if (isJsonObject(value) && !isWrapped(value) && JSON.stringify(value) === text) return value;
  } catch {
    // Plain text.
  }
  return { result: text };
}

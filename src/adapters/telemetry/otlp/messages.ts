import type { Json, JsonObject } from '../../../core/json.ts';
import { isJsonObject } from '../../../core/json.ts';
import type { ContentBlock, NeutralChoice, NeutralMessage } from '../../../core/neutral.ts';
import type { RequestContent } from '../../sinks/entry.ts';

/** What was said, in the shape of the semantic conventions: messages made of parts. Each text is JSON; null = there is none. */
export interface SaidTexts {
  readonly system: string | null;
  readonly input: string | null;
  readonly output: string | null;
}

/** Longer texts are cut; a span is not an archive. */
const textLengthMax = 128 * 1024;

export function saidTexts({ dialect, request, response }: RequestContent): SaidTexts {
  return { ...inputOf(dialect, request), output: response === null ? null : outputOf(dialect, response) };
}

function inputOf(dialect: RequestContent['dialect'], body: JsonObject): Pick<SaidTexts, 'system' | 'input'> {
  try {
    const { system, messages } = dialect.request.decode(body);
    return {
      system: system.length === 0 ? null : told(system.map(partOf)),
      input: messages.length === 0 ? null : told(messages.map(messageOf)),
    };
  } catch {
    // Embeddings have an input and no messages; what cannot be read is told as it was sent.
    const sent = body.input ?? body.prompt ?? body.messages;
    return { system: null, input: sent === undefined ? null : told(sent) };
  }
}

function outputOf(dialect: RequestContent['dialect'], text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    if (!isJsonObject(body)) return told(plainAnswer(text));
    return told(dialect.response.decode(body).choices.map(choiceOf));
  } catch {
    return dialect.operation === 'chat' ? told(plainAnswer(text)) : null;
  }
}

/** What arrived of an answer that broke off. */
function plainAnswer(text: string): Json {
  return [{ role: 'assistant', parts: [{ type: 'text', content: text }], finish_reason: 'error' }];
}

function messageOf({ role, content }: NeutralMessage): Json {
  const answersTools = content.length > 0 && content.every(({ type }) => type === 'tool_result');
  return { role: answersTools ? 'tool' : role, parts: content.map(partOf) };
}

function choiceOf({ content, finishReason }: NeutralChoice): Json {
  return { role: 'assistant', parts: content.map(partOf), finish_reason: finishReason };
}

export function partOf(block: ContentBlock): Json {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return { type: 'text', content: block.text };
    case 'reasoning':
      return { type: 'reasoning', content: block.text };
    case 'tool_call':
      return { type: 'tool_call', id: block.id, name: block.name, arguments: parsed(block.arguments) };
    case 'tool_result':
      return { type: 'tool_call_response', id: block.toolCallId, response: block.content.map(partOf) };
    case 'image':
    case 'audio':
    case 'file':
      return mediaOf(block.type, block.source);
    case 'vendor':
      return { type: String(block.block.type ?? 'vendor') };
  }
}

/** Media are named, not carried along. */
function mediaOf(modality: string, source: { readonly kind: string; readonly [name: string]: unknown }): Json {
  if (source.kind === 'url') {
    const url = String(source.url);
    return { type: 'uri', modality, uri: url.startsWith('data:') ? 'data:' : url.slice(0, 2_048) };
  }
  if (source.kind === 'id') return { type: 'file', modality, file_id: String(source.id) };
  return { type: 'blob', modality, mime_type: String(source.mediaType ?? ''), content: '' };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

export function told(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= textLengthMax ? text : `${text.slice(0, textLengthMax)}…`;
}

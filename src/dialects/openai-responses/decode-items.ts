import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type {
  ContentBlock,
  FileBlock,
  NeutralMessage,
  TextBlock,
  ToolCallBlock,
  ToolResultBlock,
} from '../../core/neutral.ts';
import { malformed } from '../body-checks.ts';
import { mediaFromUrl } from '../media.ts';
import { decodeAnnotation } from './annotations.ts';
import { customArguments } from './custom-tools.ts';
import { decodeReasoning } from './reasoning.ts';

const dialect = 'openai-responses';

/** Items of an input that `inspectResponses` has checked, with the system text taken out of them. */
export function decodeItems(items: readonly Json[]): { system: TextBlock[]; messages: NeutralMessage[] } {
  const system: TextBlock[] = [];
  const messages: NeutralMessage[] = [];
  /** The list that consecutive items of one kind share: what an assistant did in a turn, results of calls made together. */
  let run: { kind: 'assistant' | 'results'; content: ContentBlock[] } | undefined;
  const add = (kind: 'assistant' | 'results', blocks: readonly ContentBlock[]) => {
    if (run?.kind !== kind) {
      run = { kind, content: [] };
      messages.push({ role: kind === 'assistant' ? 'assistant' : 'user', content: run.content });
    }
    run.content.push(...blocks);
  };
  for (const [index, item] of items.entries()) {
    if (!isJsonObject(item)) continue;
    const path = `input[${index}]`;
    if (item.type === undefined || item.type === null || item.type === 'message') {
      const content = decodeContent(item.content);
      if (item.role === 'assistant') add('assistant', content);
      else if (item.role === 'user') {
        run = undefined;
        messages.push({ role: 'user', content });
      } else system.push(...textOnly(content, `${path}.content`, String(item.role)));
    } else if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
      add('results', [toolResult(item, path)]);
    } else if (String(item.type).endsWith('_output') || item.type === 'mcp_approval_response') {
      add('results', [{ type: 'vendor', dialect, block: item }]);
    } else {
      const block = decodeOutputItem(item);
      if (block !== null) add('assistant', [block]);
    }
  }
  return { system, messages: messages.filter(({ content }) => content.length > 0) };
}

/** An item other than a message; null for one that says nothing. */
export function decodeOutputItem(item: JsonObject): ContentBlock | null {
  switch (item.type) {
    case 'reasoning':
      return decodeReasoning(item);
    case 'function_call':
      return {
        type: 'tool_call',
        id: callId(item),
        name: String(item.name),
        arguments: typeof item.arguments === 'string' ? item.arguments : '',
      };
    case 'custom_tool_call':
      return customCall(item);
    default:
      return { type: 'vendor', dialect, block: item };
  }
}

export function callId(item: JsonObject): string {
  return typeof item.call_id === 'string' ? item.call_id : String(item.id);
}

function customCall(item: JsonObject): ToolCallBlock {
  const input = typeof item.input === 'string' ? item.input : '';
  return {
    type: 'tool_call',
    id: callId(item),
    name: String(item.name),
    arguments: customArguments(input),
    custom: true,
  };
}

/** A string or a list of parts, of a message or of a tool's result. */
export function decodeContent(content: Json | undefined): ContentBlock[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isJsonObject).map(decodePart);
}

function decodePart(part: JsonObject): ContentBlock {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text': {
      const annotations = Array.isArray(part.annotations) && part.annotations.length > 0 ? part.annotations : undefined;
      return {
        type: 'text',
        text: typeof part.text === 'string' ? part.text : '',
        ...(isJsonObject(part.prompt_cache_breakpoint) ? { cacheMark: { type: 'ephemeral' } } : {}),
        ...(annotations === undefined ? {} : { annotations: annotations.map(decodeAnnotation) }),
      };
    }
    case 'refusal':
      return { type: 'refusal', text: String(part.refusal) };
    case 'input_image': {
      if (typeof part.image_url !== 'string') return { type: 'vendor', dialect, block: part };
      const detail = typeof part.detail === 'string' ? { detail: part.detail } : {};
      return { type: 'image', source: mediaFromUrl(part.image_url), ...detail };
    }
    case 'input_file':
      return decodeFile(part);
    case 'input_audio': {
      const audio = isJsonObject(part.input_audio) ? part.input_audio : {};
      const format = String(audio.format);
      const source = { kind: 'base64' as const, mediaType: `audio/${format}`, base64: String(audio.data) };
      return { type: 'audio', source, format };
    }
    default:
      return { type: 'vendor', dialect, block: part };
  }
}

function decodeFile(part: JsonObject): FileBlock {
  const name = typeof part.filename === 'string' ? { name: part.filename } : {};
  if (typeof part.file_data === 'string') {
    const source = part.file_data.startsWith('data:')
      ? mediaFromUrl(part.file_data)
      : ({ kind: 'base64', mediaType: 'application/pdf', base64: part.file_data } as const);
    return { type: 'file', source, ...name };
  }
  if (typeof part.file_url === 'string') return { type: 'file', source: { kind: 'url', url: part.file_url }, ...name };
  return { type: 'file', source: { kind: 'id', id: String(part.file_id) }, ...name };
}

function toolResult(item: JsonObject, path: string): ToolResultBlock {
  const content = decodeContent(item.output).map((block) => {
    if (block.type === 'text' || block.type === 'image' || block.type === 'file') return block;
    throw malformed(`${path}.output`, 'the result of a tool holds text, images or files');
  });
  return { type: 'tool_result', toolCallId: callId(item), content };
}

function textOnly(content: readonly ContentBlock[], path: string, role: string): TextBlock[] {
  return content.map((block) => {
    if (block.type === 'text') return block;
    throw malformed(path, `a ${role} message holds text only`);
  });
}

import type { ModelTraits } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ContentBlock, FileBlock, NeutralMessage, NeutralRequest, ToolResultBlock } from '../../core/neutral.ts';
import { urlOfMedia } from '../media.ts';
import { inexpressible, strangeContent } from '../parameter-edits.ts';
import { encodeAnnotations } from './annotations.ts';
import { customInput } from './custom-tools.ts';
import { ownReasoning } from './reasoning.ts';

const dialect = 'openai-responses';

/** System text of one block goes into `instructions`; of several, into a message of its own that keeps them apart. */
export function encodeInput(
  request: NeutralRequest,
  traits: ModelTraits,
): { instructions?: string; input: JsonObject[] } {
  const encoder = new ItemEncoder(traits);
  const { system } = request;
  if (system.length > 1) {
    encoder.items.push({ type: 'message', role: 'developer', content: system.map(({ text }) => inputText(text)) });
  }
  for (const message of request.messages) encoder.add(message);
  return { ...(system.length === 1 ? { instructions: system[0]!.text } : {}), input: encoder.items };
}

class ItemEncoder {
  readonly items: JsonObject[] = [];
  readonly #traits: ModelTraits;
  /** Calls of tools that take free text: their results are of another type. */
  readonly #customCalls = new Set<string>();

  constructor(traits: ModelTraits) {
    this.#traits = traits;
  }

  add(message: NeutralMessage): void {
    const isAssistant = message.role === 'assistant';
    let parts: JsonObject[] = [];
    const flush = () => {
      if (parts.length > 0) this.items.push({ type: 'message', role: message.role, content: parts });
      parts = [];
    };
    for (const block of message.content) {
      const item = this.#item(block);
      if (item === undefined) parts.push(isAssistant ? outputPart(block) : this.#inputPart(block));
      else {
        flush();
        if (item !== null) this.items.push(item);
      }
    }
    flush();
  }

  /** Blocks that are items of their own; undefined for parts of a message, null for what is left out. */
  #item(block: ContentBlock): JsonObject | null | undefined {
    switch (block.type) {
      case 'tool_call': {
        const call = { call_id: block.id, name: block.name };
        if (block.custom !== true) return { type: 'function_call', ...call, arguments: block.arguments };
        this.#customCalls.add(block.id);
        return { type: 'custom_tool_call', ...call, input: customInput(block.arguments) };
      }
      case 'tool_result':
        return {
          type: this.#customCalls.has(block.toolCallId) ? 'custom_tool_call_output' : 'function_call_output',
          call_id: block.toolCallId,
          output: this.#resultOutput(block),
        };
      case 'reasoning':
        // Other providers' reasoning cannot be given to this one.
        return ownReasoning(block);
      case 'vendor':
        if (block.dialect !== dialect) throw strangeContent(block.block);
        return String(block.block.type).startsWith('input_') ? undefined : block.block;
      default:
        return undefined;
    }
  }

  #resultOutput(block: ToolResultBlock): string | JsonObject[] {
    const [first] = block.content;
    if (block.content.length === 0) return '';
    if (block.content.length === 1 && first?.type === 'text') return first.text;
    return block.content.map((part) => this.#inputPart(part));
  }

  #inputPart(block: ContentBlock): JsonObject {
    switch (block.type) {
      case 'text':
      case 'refusal':
        return inputText(block.text);
      case 'image': {
        if (block.source.kind === 'url' && !this.#traits.supportsImageUrls) {
          throw inexpressible('images by address: send them as data URLs');
        }
        const detail = block.detail === undefined ? {} : { detail: block.detail };
        return { type: 'input_image', image_url: urlOfMedia(block.source), ...detail };
      }
      case 'audio':
        if (block.source.kind === 'url') throw inexpressible('audio by address');
        return { type: 'input_audio', input_audio: { data: block.source.base64, format: block.format } };
      case 'file':
        return inputFile(block);
      case 'vendor':
        return block.block;
      default:
        throw inexpressible(`a ${block.type.replace('_', ' ')} in a message of this role`);
    }
  }
}

function inputText(text: string): JsonObject {
  return { type: 'input_text', text };
}

function inputFile({ source, name }: FileBlock): JsonObject {
  const filename = name === undefined ? {} : { filename: name };
  switch (source.kind) {
    case 'id':
      return { type: 'input_file', file_id: source.id, ...filename };
    case 'url':
      return { type: 'input_file', file_url: source.url, ...filename };
    default:
      return { type: 'input_file', file_data: urlOfMedia(source), ...filename };
  }
}

export function outputPart(block: ContentBlock): JsonObject {
  switch (block.type) {
    case 'text': {
      const annotations = encodeAnnotations(block.annotations, block.text.length);
      return { type: 'output_text', text: block.text, annotations };
    }
    case 'refusal':
      return { type: 'refusal', refusal: block.text };
    default:
      throw inexpressible(`a ${block.type} in a message of the assistant`);
  }
}

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { decodeAnnotation } from './annotations.ts';
import { customArguments } from './custom-tools.ts';
import { callId, decodeContent } from './decode-items.ts';
import { decodeReasoning } from './reasoning.ts';

const dialect = 'openai-responses';
const choice = 0;

/** A part of a message, or the one block of another item. */
interface OpenBlock {
  readonly block: number;
  readonly kind: 'text' | 'refusal' | 'reasoning' | 'call';
  /** Nothing of it has been told yet. */
  isSilent: boolean;
  isOver: boolean;
}

/** The events of one item of the output. */
export class ItemDecoder {
  readonly #newBlock: () => number;
  readonly #type: string;
  /** By the part's number in a message; other items have one block, numbered 0. */
  readonly #blocks = new Map<number, OpenBlock>();
  #vendorBlock = -1;
  #summaryIndex = 0;
  #isOver = false;

  constructor(newBlock: () => number, item: JsonObject) {
    this.#newBlock = newBlock;
    this.#type = typeof item.type === 'string' ? item.type : '';
  }

  begin(item: JsonObject, event: JsonObject, parts: StreamPart[]): void {
    switch (this.#type) {
      case 'message':
      case 'reasoning':
        return;
      case 'function_call':
      case 'custom_tool_call': {
        const { block } = this.#open(0, 'call');
        const custom = this.#type === 'custom_tool_call' ? { custom: true as const } : {};
        parts.push({ type: 'tool-call-start', choice, block, id: callId(item), name: String(item.name), ...custom });
        return;
      }
      default:
        if (event.type === 'response.output_item.added') this.#vendor(event, undefined, parts);
    }
  }

  read(event: JsonObject, parts: StreamPart[]): void {
    if (this.#isOver) return;
    const text = typeof event.delta === 'string' ? event.delta : '';
    switch (event.type) {
      case 'response.content_part.added':
        if (this.#type === 'message' && isJsonObject(event.part) && event.part.type === 'output_text') {
          this.#text(contentIndex(event), typeof event.part.text === 'string' ? event.part.text : '', parts);
        }
        return;
      case 'response.output_text.delta':
        this.#text(contentIndex(event), text, parts);
        return;
      case 'response.refusal.delta':
        this.#refusal(contentIndex(event), text, parts);
        return;
      case 'response.output_text.annotation.added':
        this.#text(contentIndex(event), '', parts);
        parts.push({
          type: 'annotation',
          choice,
          block: this.#blocks.get(contentIndex(event))!.block,
          annotation: decodeAnnotation(event.annotation ?? null),
        });
        return;
      case 'response.content_part.done':
        if (this.#type === 'message') {
          if (isJsonObject(event.part)) this.#wholePart(contentIndex(event), event.part, parts);
          this.#end(contentIndex(event), parts);
        }
        return;
      case 'response.reasoning_summary_text.delta':
        this.#reasoning(text, event.summary_index, parts);
        return;
      case 'response.reasoning_text.delta':
        this.#reasoning(text, event.content_index, parts);
        return;
      case 'response.function_call_arguments.delta':
        this.#arguments(text, parts);
        return;
      case 'response.custom_tool_call_input.delta':
        this.#customInput(text, parts);
        return;
      default:
        if (this.#vendorBlock !== -1) this.#vendor(event, undefined, parts);
    }
  }

  /** The item whole: what its deltas did not tell is told now. */
  finish(item: JsonObject, event: JsonObject, parts: StreamPart[]): void {
    if (this.#isOver) return;
    switch (this.#type) {
      case 'message':
        for (const [index, part] of (Array.isArray(item.content) ? item.content : []).entries()) {
          if (isJsonObject(part)) this.#wholePart(index, part, parts);
        }
        break;
      case 'reasoning':
        this.#finishReasoning(item, parts);
        break;
      case 'function_call':
        if (this.#blocks.get(0)?.isSilent) {
          this.#arguments(typeof item.arguments === 'string' ? item.arguments : '', parts);
        }
        break;
      case 'custom_tool_call': {
        const input = typeof item.input === 'string' ? item.input : '';
        if (this.#blocks.get(0)?.isSilent) parts.push(this.#call(customArguments(input)));
        else parts.push(this.#call('"}'));
        break;
      }
      default:
        this.#vendor(event, item, parts);
    }
    this.close(parts);
  }

  close(parts: StreamPart[]): void {
    this.#isOver = true;
    for (const index of this.#blocks.keys()) this.#end(index, parts);
  }

  #open(index: number, kind: OpenBlock['kind']): OpenBlock {
    const opened: OpenBlock = { block: this.#newBlock(), kind, isSilent: true, isOver: false };
    this.#blocks.set(index, opened);
    return opened;
  }

  #end(index: number, parts: StreamPart[]): void {
    const open = this.#blocks.get(index);
    if (open === undefined || open.isOver) return;
    open.isOver = true;
    parts.push({ type: 'block-end', choice, block: open.block });
  }

  #text(index: number, text: string, parts: StreamPart[]): void {
    let open = this.#blocks.get(index);
    if (open === undefined) {
      open = this.#open(index, 'text');
      parts.push({ type: 'text-start', choice, block: open.block });
    }
    if (text === '' || open.isOver) return;
    open.isSilent = false;
    parts.push({ type: 'text-delta', choice, block: open.block, text });
  }

  #refusal(index: number, text: string, parts: StreamPart[]): void {
    if (text === '') return;
    const open = this.#blocks.get(index) ?? this.#open(index, 'refusal');
    open.isSilent = false;
    if (!open.isOver) parts.push({ type: 'refusal-delta', choice, block: open.block, text });
  }

  /** A part whole: told only where no delta has told it. */
  #wholePart(index: number, part: JsonObject, parts: StreamPart[]): void {
    if (this.#blocks.get(index)?.isSilent === false || this.#blocks.get(index)?.isOver) return;
    for (const block of decodeContent([part])) {
      if (block.type === 'refusal') this.#refusal(index, block.text, parts);
      else if (block.type === 'text') {
        this.#text(index, block.text, parts);
        const open = this.#blocks.get(index)!;
        for (const annotation of block.annotations ?? []) {
          parts.push({ type: 'annotation', choice, block: open.block, annotation });
        }
      }
    }
  }

  #reasoning(text: string, summaryIndex: unknown, parts: StreamPart[]): void {
    if (text === '') return;
    let open = this.#blocks.get(0);
    if (open === undefined) {
      open = this.#open(0, 'reasoning');
      parts.push({ type: 'reasoning-start', choice, block: open.block });
    }
    const index = typeof summaryIndex === 'number' ? summaryIndex : this.#summaryIndex;
    // Paragraphs of one summary.
    const gap = index === this.#summaryIndex || open.isSilent ? '' : '\n\n';
    this.#summaryIndex = index;
    open.isSilent = false;
    parts.push({ type: 'reasoning-delta', choice, block: open.block, text: gap + text });
  }

  #finishReasoning(item: JsonObject, parts: StreamPart[]): void {
    const whole = decodeReasoning(item);
    if (whole === null) return;
    let open = this.#blocks.get(0);
    if (open === undefined) {
      open = this.#open(0, 'reasoning');
      const { redacted } = whole;
      parts.push({
        type: 'reasoning-start',
        choice,
        block: open.block,
        ...(redacted === undefined ? {} : { redacted }),
      });
      if (whole.text !== '') parts.push({ type: 'reasoning-delta', choice, block: open.block, text: whole.text });
    }
    if (whole.signature !== undefined) {
      parts.push({ type: 'reasoning-signature', choice, block: open.block, signature: whole.signature });
    }
  }

  #arguments(text: string, parts: StreamPart[]): void {
    if (text !== '') parts.push(this.#call(text));
  }

  /** Free text as the JSON that other formats expect, piece by piece. */
  #customInput(text: string, parts: StreamPart[]): void {
    if (text === '') return;
    const opening = this.#blocks.get(0)?.isSilent ? '{"input":"' : '';
    parts.push(this.#call(opening + JSON.stringify(text).slice(1, -1)));
  }

  #call(text: string): StreamPart {
    const open = this.#blocks.get(0) ?? this.#open(0, 'call');
    open.isSilent = false;
    return { type: 'tool-call-delta', choice, block: open.block, arguments: text };
  }

  #vendor(event: JsonObject, whole: JsonObject | undefined, parts: StreamPart[]): void {
    if (this.#vendorBlock === -1) this.#vendorBlock = this.#newBlock();
    const block = this.#vendorBlock;
    parts.push({ type: 'vendor', choice, block, dialect, event, ...(whole === undefined ? {} : { whole }) });
  }
}

function contentIndex(event: JsonObject): number {
  return typeof event.content_index === 'number' ? event.content_index : 0;
}

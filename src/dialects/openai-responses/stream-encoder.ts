import type { AnswerOptions, StreamEncoder } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { FinishReason, MediaSource, ReasoningBlock, StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { encodeAnnotation } from './annotations.ts';
import { customInput, customToolNames } from './custom-tools.ts';
import { reasoningItem } from './reasoning.ts';
import { callItem, imageItem } from './response.ts';
import { itemId, responseObject } from './response-object.ts';

type BlockPart = Extract<StreamPart, { block: number }>;

/** A message being told: texts that follow each other are its parts. */
interface OpenMessage {
  readonly id: string;
  readonly index: number;
  readonly content: JsonObject[];
}
interface TextPart {
  readonly kind: 'output_text' | 'refusal';
  readonly message: OpenMessage;
  readonly contentIndex: number;
  text: string;
  readonly annotations: JsonObject[];
}
interface Reasoning {
  readonly kind: 'reasoning';
  readonly id: string;
  readonly index: number;
  readonly block: ReasoningBlock;
}
interface Call {
  readonly kind: 'call';
  readonly index: number;
  readonly isCustom: boolean;
  readonly call: { id: string; name: string; arguments: string; custom?: true };
}
type OpenBlock = TextPart | Reasoning | Call;

/** Parts as `response.*` events. This format has one choice. */
export class ResponsesStreamEncoder implements StreamEncoder {
  readonly #options: AnswerOptions;
  readonly #customNames: ReadonlySet<string>;
  readonly #open = new Map<number, OpenBlock>();
  /** Finished items by their place; the last event repeats them all. */
  readonly #output: JsonObject[] = [];
  /** Places of this format's own items, by block. */
  readonly #vendorItems = new Map<number, number>();
  #message: OpenMessage | null = null;
  #items = 0;
  #sequence = 0;
  #start = { id: '', model: '', createdAt: undefined as number | undefined };
  #usage: Usage | undefined;
  #finish: FinishReason = 'stop';

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#customNames = customToolNames(options.request?.body);
  }

  encode(part: StreamPart): string {
    switch (part.type) {
      case 'start': {
        this.#start = { id: part.id, model: part.model, createdAt: part.createdAt };
        this.#usage = part.usage;
        const response = this.#response(undefined);
        return this.#event('response.created', { response }) + this.#event('response.in_progress', { response });
      }
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'finish':
        if (part.choice === 0) this.#finish = part.reason;
        return '';
      case 'end':
        return this.#end();
      case 'ping':
      case 'error':
        return '';
      default:
        return part.choice === 0 ? this.#block(part) : '';
    }
  }

  #block(part: BlockPart): string {
    switch (part.type) {
      case 'text-start':
        return this.#startText(part.block, 'output_text');
      case 'text-delta':
      case 'refusal-delta':
        return this.#addText(part.block, part.type === 'text-delta' ? 'output_text' : 'refusal', part.text);
      case 'annotation':
        return this.#annotate(part.block, part.annotation);
      case 'reasoning-start':
        return this.#startReasoning(part.block, part.redacted);
      case 'reasoning-delta':
        return this.#addReasoning(part.block, part.text);
      case 'reasoning-signature': {
        const open = this.#open.get(part.block);
        if (open?.kind === 'reasoning') open.block.signature = (open.block.signature ?? '') + part.signature;
        return '';
      }
      case 'tool-call-start':
        return this.#startCall(part.block, part);
      case 'tool-call-delta':
        return this.#addArguments(part.block, part.arguments);
      case 'image':
        return this.#image(part.source);
      case 'vendor':
        return this.#vendor(part);
      case 'block-end':
        return this.#endBlock(part.block);
      default:
        return part satisfies never;
    }
  }

  // ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #startText(block: number, kind: TextPart['kind']): string {
    let text = '';
    if (this.#message === null) {
      const index = this.#items++;
      this.#message = { id: itemId('message', index, this.#options), index, content: [] };
      const item = { id: this.#message.id, type: 'message', status: 'in_progress', role: 'assistant', content: [] };
      text = this.#event('response.output_item.added', { output_index: index, item });
    }
    const message = this.#message;
    const open: TextPart = { kind, message, contentIndex: message.content.length, text: '', annotations: [] };
    message.content.push({});
    this.#open.set(block, open);
    return text + this.#partEvent('response.content_part.added', open, { part: partOf(open) });
  }

  #addText(block: number, kind: TextPart['kind'], delta: string): string {
    let text = '';
    if (!this.#open.has(block)) text = this.#startText(block, kind);
    const open = this.#open.get(block);
    if (open === undefined || open.kind === 'reasoning' || open.kind === 'call') return text;
    open.text += delta;
    const more = kind === 'output_text' ? { delta, logprobs: [] } : { delta };
    return text + this.#partEvent(`response.${kind}.delta`, open, more);
  }

  #annotate(block: number, source: Json): string {
    const open = this.#open.get(block);
    if (open?.kind !== 'output_text') return '';
    const annotation = encodeAnnotation(source, open.text.length);
    if (annotation === undefined) return '';
    const annotation_index = open.annotations.push(annotation) - 1;
    return this.#partEvent('response.output_text.annotation.added', open, { annotation_index, annotation });
  }

  #endText(open: TextPart): string {
    const part = partOf(open);
    open.message.content[open.contentIndex] = part;
    const whole = open.kind === 'refusal' ? { refusal: open.text } : { text: open.text, logprobs: [] };
    return (
      this.#partEvent(`response.${open.kind}.done`, open, whole) +
      this.#partEvent('response.content_part.done', open, { part })
    );
  }

  #partEvent(type: string, { message, contentIndex }: TextPart, fields: JsonObject): string {
    return this.#event(type, {
      item_id: message.id,
      output_index: message.index,
      content_index: contentIndex,
      ...fields,
    });
  }

  #endMessage(): string {
    if (this.#message === null) return '';
    const { id, index, content } = this.#message;
    let text = '';
    for (const [block, open] of this.#open) {
      if ('message' in open) text += this.#endBlock(block);
    }
    this.#message = null;
    const item = { id, type: 'message', status: 'completed', role: 'assistant', content };
    return text + this.#itemDone(index, item);
  }

  // ── Reasoning ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #startReasoning(block: number, redacted: string | undefined): string {
    const text = this.#endMessage();
    const index = this.#items++;
    const id = itemId('reasoning', index, this.#options);
    const reasoning: ReasoningBlock = { type: 'reasoning', text: '', ...(redacted === undefined ? {} : { redacted }) };
    this.#open.set(block, { kind: 'reasoning', id, index, block: reasoning });
    const item = { id, type: 'reasoning', summary: [] };
    return text + this.#event('response.output_item.added', { output_index: index, item });
  }

  #addReasoning(block: number, delta: string): string {
    let text = '';
    if (!this.#open.has(block)) text = this.#startReasoning(block, undefined);
    const open = this.#open.get(block);
    if (open?.kind !== 'reasoning') return text;
    const place = { item_id: open.id, output_index: open.index, summary_index: 0 };
    if (open.block.text === '') {
      const part = { type: 'summary_text', text: '' };
      text += this.#event('response.reasoning_summary_part.added', { ...place, part });
    }
    open.block.text += delta;
    return text + this.#event('response.reasoning_summary_text.delta', { ...place, delta });
  }

  #endReasoning({ id, index, block }: Reasoning): string {
    let text = '';
    if (block.text !== '') {
      const place = { item_id: id, output_index: index, summary_index: 0 };
      const part = { type: 'summary_text', text: block.text };
      text += this.#event('response.reasoning_summary_text.done', { ...place, text: block.text });
      text += this.#event('response.reasoning_summary_part.done', { ...place, part });
    }
    return text + this.#itemDone(index, reasoningItem(block, id));
  }

  // ── Calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #startCall(block: number, { id, name, custom }: Extract<StreamPart, { type: 'tool-call-start' }>): string {
    const text = this.#endMessage();
    const call = { id, name, arguments: '', ...(custom === undefined ? {} : { custom }) };
    const isCustom = custom === true || this.#customNames.has(name);
    const index = this.#items++;
    this.#open.set(block, { kind: 'call', index, isCustom, call });
    const item: JsonObject = { ...this.#callItem(call, index), status: 'in_progress' };
    if (isCustom) item.input = '';
    return text + this.#event('response.output_item.added', { output_index: index, item });
  }

  #callItem(call: Call['call'], index: number): JsonObject {
    return callItem(call, index, this.#customNames, this.#options);
  }

  /** The free text of a custom tool is known once its JSON is whole. */
  #addArguments(block: number, delta: string): string {
    const open = this.#open.get(block);
    if (open?.kind !== 'call') return '';
    open.call.arguments += delta;
    if (open.isCustom) return '';
    const item_id = itemId('function_call', open.index, this.#options);
    return this.#event('response.function_call_arguments.delta', { item_id, output_index: open.index, delta });
  }

  #endCall({ call, index, isCustom }: Call): string {
    const item = this.#callItem(call, index);
    const place = { item_id: String(item.id), output_index: index };
    let text: string;
    if (isCustom) {
      const input = customInput(call.arguments);
      text = this.#event('response.custom_tool_call_input.delta', { ...place, delta: input });
      text += this.#event('response.custom_tool_call_input.done', { ...place, input });
    } else {
      text = this.#event('response.function_call_arguments.done', {
        ...place,
        name: call.name,
        arguments: call.arguments,
      });
    }
    return text + this.#itemDone(index, item);
  }

  // ── Everything ────────────────────────────────────────────────────────────────────────────────────────────────────

  #image(source: MediaSource): string {
    const text = this.#endMessage();
    const index = this.#items++;
    const item = imageItem(source, index, this.#options);
    const begun = { ...item, status: 'in_progress', result: null };
    return (
      text +
      this.#event('response.output_item.added', { output_index: index, item: begun }) +
      this.#itemDone(index, item)
    );
  }

  /** What this format's own tools did, from a stored answer; of other formats only what they cite. */
  #vendor({ block, dialect, event }: Extract<StreamPart, { type: 'vendor' }>): string {
    if (dialect !== 'openai-responses') {
      const { delta } = event;
      return isJsonObject(delta) && delta.citation !== undefined ? this.#annotate(block, delta.citation) : '';
    }
    const isEvent = typeof event.type === 'string' && event.type.startsWith('response.');
    const item = isEvent ? event.item : event;
    let text = '';
    let index = this.#vendorItems.get(block);
    if (index === undefined) {
      text = this.#endMessage();
      index = this.#items++;
      this.#vendorItems.set(block, index);
      if (event.type !== 'response.output_item.added') {
        text += this.#event('response.output_item.added', { output_index: index, item: item ?? {} });
      }
    }
    if (!isEvent || event.type === 'response.output_item.done') {
      return text + this.#itemDone(index, isJsonObject(item) ? item : {});
    }
    const { type, sequence_number: _ours, ...fields } = event;
    return text + this.#event(String(type), { ...fields, output_index: index });
  }

  #endBlock(block: number): string {
    const open = this.#open.get(block);
    if (open === undefined) return '';
    this.#open.delete(block);
    switch (open.kind) {
      case 'reasoning':
        return this.#endReasoning(open);
      case 'call':
        return this.#endCall(open);
      default:
        return this.#endText(open);
    }
  }

  #itemDone(index: number, item: JsonObject): string {
    this.#output[index] = item;
    return this.#event('response.output_item.done', { output_index: index, item });
  }

  #end(): string {
    let text = '';
    for (const block of [...this.#open.keys()]) text += this.#endBlock(block);
    text += this.#endMessage();
    const response = this.#response(this.#finish);
    const type = response.status === 'incomplete' ? 'response.incomplete' : 'response.completed';
    return text + this.#event(type, { response });
  }

  #response(finish: FinishReason | undefined): JsonObject {
    const output = this.#output.filter((item) => item !== undefined);
    return responseObject({ ...this.#start, output, usage: this.#usage, finish }, this.#options);
  }

  #event(type: string, fields: JsonObject): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#sequence++, ...fields })}\n\n`;
  }
}

function partOf({ kind, text, annotations }: TextPart): JsonObject {
  return kind === 'refusal' ? { type: kind, refusal: text } : { type: kind, text, annotations, logprobs: [] };
}

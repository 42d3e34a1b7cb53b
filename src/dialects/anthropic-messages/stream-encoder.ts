import type { AnswerOptions, StreamEncoder } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason, StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { toldCitation } from './citations.ts';
import { encodeStopReason } from './stop-reason.ts';
import { encodeUsage } from './usage.ts';

type BlockPart = Exclude<Extract<StreamPart, { block: number }>, { type: 'image' }>;

/**
 * Parts as message events. Blocks go out one after the other, numbered from 0: parts of a block that begins while another
 * is open wait until that one has ended. The stop is held back until the end, when the usage is known. This format has one
 * choice.
 */
export class MessageStreamEncoder implements StreamEncoder {
  readonly #options: AnswerOptions;
  #usage: Usage | undefined;
  #finish: { readonly reason: FinishReason; readonly stopSequence: string | undefined } | undefined;
  /** The block that is going out, by its number in the parts; null between blocks. */
  #open: number | null = null;
  #sent = 0;
  /** Blocks that wait, in the order they began. */
  readonly #waiting = new Map<number, BlockPart[]>();

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  encode(part: StreamPart): string {
    switch (part.type) {
      case 'start':
        return this.#start(part.id, part.model, part.usage);
      case 'image':
        // This format's answers hold none.
        return '';
      case 'ping':
        return event({ type: 'ping' });
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'finish':
        if (part.choice === 0) this.#finish = { reason: part.reason, stopSequence: part.stopSequence };
        return '';
      case 'end':
        return this.#end();
      case 'error':
        return '';
      default:
        return part.choice === 0 ? this.#blockPart(part) : '';
    }
  }

  #start(id: string, model: string, usage: Usage | undefined): string {
    this.#usage = usage;
    return event({
      type: 'message_start',
      message: {
        id: id === '' ? `msg_${this.#options.requestId}` : id,
        type: 'message',
        role: 'assistant',
        model: this.#options.model ?? model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: encodeUsage(usage),
      },
    });
  }

  #blockPart(part: BlockPart): string {
    if (this.#open === null || this.#open === part.block) {
      const text = this.#send(part);
      return this.#open === null ? text + this.#sendWaiting() : text;
    }
    const waiting = this.#waiting.get(part.block);
    if (waiting === undefined) this.#waiting.set(part.block, [part]);
    else waiting.push(part);
    return '';
  }

  /** Lets blocks that have waited follow, up to one that is still open. */
  #sendWaiting(): string {
    let text = '';
    while (this.#open === null) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      this.#waiting.delete(next[0]);
      for (const part of next[1]) text += this.#send(part);
    }
    return text;
  }

  #send(part: BlockPart): string {
    switch (part.type) {
      case 'text-start':
        return this.#startBlock(part.block, { type: 'text', text: '' });
      case 'text-delta':
        return this.#delta({ type: 'text_delta', text: part.text });
      case 'refusal-delta': {
        const opening = this.#open === null ? this.#startBlock(part.block, { type: 'text', text: '' }) : '';
        return opening + this.#delta({ type: 'text_delta', text: part.text });
      }
      case 'reasoning-start':
        return this.#startBlock(
          part.block,
          part.redacted === undefined
            ? { type: 'thinking', thinking: '', signature: '' }
            : { type: 'redacted_thinking', data: part.redacted },
        );
      case 'reasoning-delta':
        return this.#delta({ type: 'thinking_delta', thinking: part.text });
      case 'reasoning-signature':
        return this.#delta({ type: 'signature_delta', signature: part.signature });
      case 'tool-call-start':
        return this.#startBlock(part.block, { type: 'tool_use', id: part.id, name: part.name, input: {} });
      case 'tool-call-delta':
        return this.#delta({ type: 'input_json_delta', partial_json: part.arguments });
      case 'annotation': {
        const citation = toldCitation(part.annotation, '');
        return citation === undefined ? '' : this.#delta({ type: 'citations_delta', citation });
      }
      case 'vendor':
        return this.#vendorEvent(part.block, part.event);
      case 'block-end':
        return this.#stopBlock();
      default:
        return part satisfies never;
    }
  }

  #startBlock(block: number, content: JsonObject): string {
    this.#open = block;
    return event({ type: 'content_block_start', index: this.#sent, content_block: content });
  }

  #delta(delta: JsonObject): string {
    return event({ type: 'content_block_delta', index: this.#sent, delta });
  }

  #stopBlock(): string {
    if (this.#open === null) return '';
    this.#open = null;
    const text = event({ type: 'content_block_stop', index: this.#sent });
    this.#sent += 1;
    return text;
  }

  /** An event of this format that came through a translation unread; events of other formats have no place here. */
  #vendorEvent(block: number, vendorEvent: JsonObject): string {
    switch (vendorEvent.type) {
      case 'content_block_start':
        return isJsonObject(vendorEvent.content_block) ? this.#startBlock(block, vendorEvent.content_block) : '';
      case 'content_block_delta':
        return isJsonObject(vendorEvent.delta) ? this.#delta(vendorEvent.delta) : '';
      case 'content_block_stop':
        return this.#stopBlock();
      default:
        return '';
    }
  }

  #end(): string {
    let text = this.#stopBlock();
    // Blocks still waiting never got their end: they are sent as far as they came.
    while (this.#waiting.size > 0) text += this.#sendWaiting() + this.#stopBlock();
    const { reason, stopSequence } = this.#finish ?? { reason: 'stop' as const, stopSequence: undefined };
    const delta = { stop_reason: encodeStopReason(reason, stopSequence), stop_sequence: stopSequence ?? null };
    text += event({ type: 'message_delta', delta, usage: encodeUsage(this.#usage) });
    return text + event({ type: 'message_stop' });
  }
}

function event(payload: JsonObject): string {
  return `event: ${String(payload.type)}\ndata: ${JSON.stringify(payload)}\n\n`;
}

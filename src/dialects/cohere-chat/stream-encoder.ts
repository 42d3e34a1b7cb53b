import type { AnswerOptions, StreamEncoder } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { encodeCitation, encodeFinish, encodeUsage } from './response.ts';

type BlockPart = Extract<StreamPart, { block: number }>;
interface OpenBlock {
  readonly kind: 'content' | 'tool-call';
  readonly index: number;
  text: string;
}

/** Parts as Cohere's events. Texts and calls are numbered apart; this format has one choice. */
export class CohereStreamEncoder implements StreamEncoder {
  readonly #options: AnswerOptions;
  readonly #open = new Map<number, OpenBlock>();
  #contents = 0;
  #calls = 0;
  #citations = 0;
  #usage: Usage | undefined;
  #finish = encodeFinish('stop', undefined);
  #id = '';

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  encode(part: StreamPart): string {
    switch (part.type) {
      case 'start': {
        this.#usage = part.usage;
        this.#id = part.id === '' ? this.#options.requestId : part.id;
        const message = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
        return event({ type: 'message-start', id: this.#id, delta: { message } });
      }
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'finish':
        if (part.choice === 0) this.#finish = encodeFinish(part.reason, part.stopSequence);
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
        return this.#startContent(part.block, 'text');
      case 'text-delta':
      case 'refusal-delta':
        return this.#addText(part.block, part.text);
      case 'reasoning-start':
        // What only its provider can read has no place here.
        return part.redacted === undefined ? this.#startContent(part.block, 'thinking') : '';
      case 'reasoning-delta': {
        const opening = this.#open.has(part.block) ? '' : this.#startContent(part.block, 'thinking');
        return opening + this.#delta(part.block, { content: { thinking: part.text } });
      }
      case 'tool-call-start': {
        const open: OpenBlock = { kind: 'tool-call', index: this.#calls++, text: '' };
        this.#open.set(part.block, open);
        const call = { id: part.id, type: 'function', function: { name: part.name, arguments: '' } };
        return event({ type: 'tool-call-start', index: open.index, delta: { message: { tool_calls: call } } });
      }
      case 'tool-call-delta':
        return this.#delta(part.block, { tool_calls: { function: { arguments: part.arguments } } });
      case 'annotation':
        return this.#cite(part);
      case 'block-end':
        return this.#endBlock(part.block);
      case 'reasoning-signature':
      case 'image':
      case 'vendor':
        return '';
      default:
        return part satisfies never;
    }
  }

  #startContent(block: number, type: 'text' | 'thinking'): string {
    const open: OpenBlock = { kind: 'content', index: this.#contents++, text: '' };
    this.#open.set(block, open);
    return event({ type: 'content-start', index: open.index, delta: { message: { content: { type, [type]: '' } } } });
  }

  #addText(block: number, text: string): string {
    const opening = this.#open.has(block) ? '' : this.#startContent(block, 'text');
    const open = this.#open.get(block);
    if (open !== undefined) open.text += text;
    return opening + this.#delta(block, { content: { text } });
  }

  #delta(block: number, message: JsonObject): string {
    const open = this.#open.get(block);
    return open === undefined ? '' : event({ type: `${open.kind}-delta`, index: open.index, delta: { message } });
  }

  #cite({ block, annotation }: Extract<StreamPart, { type: 'annotation' }>): string {
    const open = this.#open.get(block);
    const citations = open === undefined ? undefined : encodeCitation(annotation, open.text, open.index);
    if (citations === undefined) return '';
    const index = this.#citations++;
    return (
      event({ type: 'citation-start', index, delta: { message: { citations } } }) +
      event({ type: 'citation-end', index })
    );
  }

  #endBlock(block: number): string {
    const open = this.#open.get(block);
    if (open === undefined) return '';
    this.#open.delete(block);
    return event({ type: `${open.kind}-end`, index: open.index });
  }

  #end(): string {
    let text = '';
    for (const block of [...this.#open.keys()]) text += this.#endBlock(block);
    const usage = this.#usage === undefined ? {} : { usage: encodeUsage(this.#usage) };
    return text + event({ type: 'message-end', id: this.#id, delta: { finish_reason: this.#finish, ...usage } });
  }
}

function event(payload: JsonObject): string {
  return `event: ${String(payload.type)}\ndata: ${JSON.stringify(payload)}\n\n`;
}

import type { StreamPart } from '../../core/neutral.ts';
import { ChatStreamEncoder, type Finish } from '../openai-chat/stream-encoder.ts';
import { thought } from './own-words.ts';

/** Parts as chunks in which every call is whole and the last one tells the usage. */
export class WholeCallEncoder extends ChatStreamEncoder {
  /** Calls that are not whole yet, by choice and block. */
  readonly #calls = new Map<string, { readonly id: string; readonly name: string; arguments: string }>();
  /** Held back until the usage is known. */
  readonly #finishes: Finish[] = [];

  override encode(part: StreamPart): string {
    switch (part.type) {
      case 'tool-call-start':
        this.#calls.set(`${part.choice}/${part.block}`, { id: part.id, name: part.name, arguments: '' });
        return '';
      case 'tool-call-delta':
        this.#calls.get(`${part.choice}/${part.block}`)!.arguments += part.arguments;
        return '';
      case 'block-end':
        return this.#call(part.choice, part.block);
      case 'reasoning-delta':
        return this.chunk(part.choice, JSON.stringify({ content: [thought(part.text)] }));
      case 'reasoning-signature':
        return this.chunk(part.choice, JSON.stringify({ content: [thought('', part.signature)] }));
      case 'reasoning-start':
        return '';
      case 'finish':
        this.#finishes.push(part);
        return '';
      case 'end':
        return `${this.#lastChunks()}data: [DONE]\n\n`;
      default:
        return super.encode(part);
    }
  }

  #call(choice: number, block: number): string {
    const key = `${choice}/${block}`;
    const call = this.#calls.get(key);
    if (call === undefined) return '';
    this.#calls.delete(key);
    const { id, ...called } = call;
    const told = { index: this.callPosition(choice, block), id, type: 'function', function: called };
    return this.chunk(choice, JSON.stringify({ tool_calls: [told] }));
  }

  #lastChunks(): string {
    return this.#finishes
      .map((part, at) => this.finishChunk(part, at === this.#finishes.length - 1 ? this.usageMember() : ''))
      .join('');
  }
}

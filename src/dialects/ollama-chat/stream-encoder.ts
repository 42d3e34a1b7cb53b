import type { AnswerOptions, StreamEncoder } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { FinishReason, StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { callTold } from './encode-request.ts';
import { encodeFinish, encodeUsage, timeText } from './response.ts';
import type { OllamaShape, Said } from './shape.ts';

/** Parts as lines of JSON. Calls go out whole, as this format has them; it has one choice. */
export class OllamaStreamEncoder implements StreamEncoder {
  readonly #shape: OllamaShape;
  readonly #options: AnswerOptions;
  readonly #calls = new Map<number, { id: string; name: string; arguments: string }>();
  #head: JsonObject = {};
  #usage: Usage | undefined;
  #finish: FinishReason = 'stop';

  constructor(shape: OllamaShape, options: AnswerOptions) {
    this.#shape = shape;
    this.#options = options;
  }

  encode(part: StreamPart): string {
    switch (part.type) {
      case 'start':
        this.#usage = part.usage;
        this.#head = {
          model: this.#options.model ?? part.model,
          created_at: timeText(part.createdAt ?? this.#options.createdAt),
        };
        return '';
      case 'text-delta':
      case 'refusal-delta':
        return part.choice === 0 ? this.#line({ text: part.text }) : '';
      case 'reasoning-delta':
        return part.choice === 0 ? this.#line({ thinking: part.text }) : '';
      case 'tool-call-start':
        if (part.choice === 0) this.#calls.set(part.block, { id: part.id, name: part.name, arguments: '' });
        return '';
      case 'tool-call-delta': {
        const call = this.#calls.get(part.block);
        if (part.choice === 0 && call !== undefined) call.arguments += part.arguments;
        return '';
      }
      case 'block-end':
        return part.choice === 0 ? this.#endCall(part.block) : '';
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'finish':
        if (part.choice === 0) this.#finish = part.reason;
        return '';
      case 'end':
        return this.#end();
      default:
        // Citations, signatures and what providers' own tools did have no place in this format.
        return '';
    }
  }

  #line(said: Partial<Said>): string {
    return `${JSON.stringify({ ...this.#head, ...this.#shape.write(said), done: false })}\n`;
  }

  #endCall(block: number): string {
    const call = this.#calls.get(block);
    if (call === undefined) return '';
    this.#calls.delete(block);
    return this.#line({ calls: [callTold(call)] });
  }

  #end(): string {
    let text = '';
    for (const block of [...this.#calls.keys()]) text += this.#endCall(block);
    const last = { done: true, done_reason: encodeFinish(this.#finish), ...encodeUsage(this.#usage) };
    return `${text}${JSON.stringify({ ...this.#head, ...this.#shape.write({}), ...last })}\n`;
  }
}

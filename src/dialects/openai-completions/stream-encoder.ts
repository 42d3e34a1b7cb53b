import type { AnswerOptions, StreamEncoder } from '../../core/dialect.ts';
import type { StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { encodeFinishReason } from '../openai-chat/finish-reason.ts';
import { pricedUsage } from '../openai-chat/usage.ts';

/** Parts as `text_completion` events. */
export class CompletionStreamEncoder implements StreamEncoder {
  readonly #options: AnswerOptions;
  #envelope = '';
  #usage: Usage | undefined;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  encode(part: StreamPart): string {
    switch (part.type) {
      case 'start': {
        const { requestId, createdAt, model } = this.#options;
        this.#envelope =
          `{"id":${JSON.stringify(part.id === '' ? `cmpl-${requestId}` : part.id)},"object":"text_completion",` +
          `"created":${part.createdAt ?? createdAt},"model":${JSON.stringify(model ?? part.model)}`;
        this.#usage = part.usage;
        return '';
      }
      case 'text-delta':
      case 'refusal-delta':
        return this.#event(part.choice, part.text, 'null');
      case 'finish': {
        const stop = part.stopSequence === undefined ? '' : `,"stop_reason":${JSON.stringify(part.stopSequence)}`;
        return this.#event(part.choice, '', `"${encodeFinishReason(part.reason)}"${stop}`);
      }
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'end':
        return `${this.#usageEvent()}data: [DONE]\n\n`;
      default:
        // Reasoning and tool calls have no place in a text.
        return '';
    }
  }

  #event(choice: number, text: string, finishReason: string): string {
    return `data: ${this.#envelope},"choices":[{"index":${choice},"text":${JSON.stringify(text)},"logprobs":null,"finish_reason":${finishReason}}]}\n\n`;
  }

  #usageEvent(): string {
    if (!this.#options.usageInStream || this.#usage === undefined) return '';
    return `data: ${this.#envelope},"choices":[],"usage":${JSON.stringify(pricedUsage(this.#usage, this.#options))}}\n\n`;
  }
}

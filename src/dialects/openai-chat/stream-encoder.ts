import type { AnswerOptions, StreamEncoder } from '../../core/dialect.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { MediaSource, StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { isOwnCitation, ownCitation } from './citations.ts';
import { encodeFinishReason } from './finish-reason.ts';
import { encodeImage } from './images.ts';
import { ReasoningMerger } from './merged-reasoning.ts';
import { pricedUsage } from './usage.ts';

export type Finish = Extract<StreamPart, { type: 'finish' }>;

/** Parts as `chat.completion.chunk` events. */
export class ChatStreamEncoder implements StreamEncoder {
  readonly #options: AnswerOptions;
  /** Everything before `"choices"`, the same in all chunks. */
  #envelope = '';
  #usage: Usage | undefined;
  /** Choices that have had their first chunk. */
  readonly #begun = new Set<number>();
  /** Position among the choice's tool calls, by choice and block. */
  readonly #callPositions = new Map<string, number>();
  readonly #callCounts = new Map<number, number>();
  readonly #imageCounts = new Map<number, number>();
  readonly #merger: ReasoningMerger | null;

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#merger = options.mergesReasoning ? new ReasoningMerger() : null;
  }

  encode(part: StreamPart): string {
    switch (part.type) {
      case 'start':
        return this.#start(part.id, part.model, part.createdAt, part.usage);
      case 'text-delta':
        return this.chunk(part.choice, contentDelta((this.#merger?.close(part.choice) ?? '') + part.text));
      case 'refusal-delta':
        return this.chunk(part.choice, `{"refusal":${JSON.stringify(part.text)}}`);
      case 'reasoning-start':
        if (part.redacted === undefined || this.#merger !== null) return '';
        return this.#thinking(part.choice, '', { type: 'redacted_thinking', data: part.redacted });
      case 'reasoning-delta':
        return this.#merger === null
          ? this.#thinking(part.choice, part.text, { type: 'thinking', thinking: part.text })
          : this.#told(part.choice, this.#merger.reasoning(part.choice, part.text));
      case 'reasoning-signature':
        if (this.#merger !== null) return '';
        return this.#thinking(part.choice, '', { type: 'thinking', thinking: '', signature: part.signature });
      case 'tool-call-start': {
        const index = this.callPosition(part.choice, part.block);
        const call = { index, id: part.id, type: 'function', function: { name: part.name, arguments: '' } };
        return this.#thoughtEnd(part.choice) + this.chunk(part.choice, `{"tool_calls":[${JSON.stringify(call)}]}`);
      }
      case 'tool-call-delta': {
        const call = { index: this.callPosition(part.choice, part.block), function: { arguments: part.arguments } };
        return this.chunk(part.choice, `{"tool_calls":[${JSON.stringify(call)}]}`);
      }
      case 'annotation':
        return this.chunk(part.choice, JSON.stringify(told(part.annotation)));
      case 'image':
        return this.#image(part.choice, part.source);
      case 'vendor':
        return this.chunk(part.choice, JSON.stringify({ provider_specific_fields: { event: part.event } }));
      case 'finish':
        return this.#thoughtEnd(part.choice) + this.finishChunk(part);
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'end':
        return `${this.#usageChunk()}data: [DONE]\n\n`;
      case 'text-start':
      case 'block-end':
      case 'ping':
      case 'error':
        return '';
      default:
        return part satisfies never;
    }
  }

  #start(id: string, model: string, createdAt: number | undefined, usage: Usage | undefined): string {
    const options = this.#options;
    const shownId = id === '' ? `chatcmpl-${options.requestId}` : id;
    this.#envelope =
      `{"id":${JSON.stringify(shownId)},"object":"chat.completion.chunk","created":${createdAt ?? options.createdAt},` +
      `"model":${JSON.stringify(options.model ?? model)}`;
    this.#usage = usage;
    return this.#begin(0);
  }

  #begin(choice: number): string {
    if (this.#begun.has(choice)) return '';
    this.#begun.add(choice);
    return this.#event(choice, '{"role":"assistant","content":""}', 'null');
  }

  #told(choice: number, content: string): string {
    return content === '' ? '' : this.chunk(choice, contentDelta(content));
  }

  /** The end of merged reasoning that no text follows. */
  #thoughtEnd(choice: number): string {
    return this.#merger === null ? '' : this.#told(choice, this.#merger.close(choice));
  }

  #thinking(choice: number, text: string, block: JsonObject): string {
    const content = text === '' ? '' : `"reasoning_content":${JSON.stringify(text)},`;
    return this.chunk(choice, `{${content}"thinking_blocks":[${JSON.stringify(block)}]}`);
  }

  protected chunk(choice: number, delta: string, finishReason = 'null', usage = ''): string {
    return this.#begin(choice) + this.#event(choice, delta, finishReason, usage);
  }

  protected finishChunk({ choice, reason, stopSequence }: Finish, usage = ''): string {
    const stop = stopSequence === undefined ? '' : `,"stop_reason":${JSON.stringify(stopSequence)}`;
    return this.chunk(choice, '{}', `"${encodeFinishReason(reason)}"${stop}`, usage);
  }

  #event(choice: number, delta: string, finishReason: string, usage = ''): string {
    return `data: ${this.#envelope},"choices":[{"index":${choice},"delta":${delta},"logprobs":null,"finish_reason":${finishReason}}]${usage}}\n\n`;
  }

  #usageChunk(): string {
    const usage = this.#options.usageInStream ? this.usageMember() : '';
    return usage === '' ? '' : `data: ${this.#envelope},"choices":[]${usage}}\n\n`;
  }

  protected usageMember(): string {
    return this.#usage === undefined ? '' : `,"usage":${JSON.stringify(pricedUsage(this.#usage, this.#options))}`;
  }

  #image(choice: number, source: MediaSource): string {
    const index = this.#imageCounts.get(choice) ?? 0;
    this.#imageCounts.set(choice, index + 1);
    return this.chunk(choice, JSON.stringify({ images: [encodeImage(source, index)] }));
  }

  protected callPosition(choice: number, block: number): number {
    const key = `${choice}/${block}`;
    const known = this.#callPositions.get(key);
    if (known !== undefined) return known;
    const position = this.#callCounts.get(choice) ?? 0;
    this.#callCounts.set(choice, position + 1);
    this.#callPositions.set(key, position);
    return position;
  }
}

function contentDelta(text: string): string {
  return `{"content":${JSON.stringify(text)}}`;
}

/** A cited address in this format's shape; what another format says of it under the name that clients know. */
function told(annotation: Json): JsonObject {
  const own = ownCitation(annotation, 0);
  return {
    ...(own === undefined ? {} : { annotations: [own] }),
    ...(isOwnCitation(annotation) ? {} : { provider_specific_fields: { citation: annotation } }),
  };
}

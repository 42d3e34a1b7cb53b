import type { AnswerOptions, StreamEncoder } from '../../core/dialect.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { encodeFinishReason } from './finish-reason.ts';
import { groundingOf, isCandidateFact } from './grounding.ts';
import { encodePart } from './response.ts';
import { encodeUsage } from './usage.ts';

/**
 * Parts as events, each of them an answer of its own with the next few words. A call is told whole, when its arguments
 * are; the finish is held back until the end, when the usage is known.
 */
export class GenerateStreamEncoder implements StreamEncoder {
  readonly #options: AnswerOptions;
  #id = '';
  #model = '';
  #usage: Usage | undefined;
  readonly #calls = new Map<string, { readonly id: string; readonly name: string; text: string }>();
  readonly #finishes: JsonObject[] = [];
  readonly #text = new Map<number, string>();
  readonly #annotations = new Map<number, Json[]>();

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  encode(part: StreamPart): string {
    switch (part.type) {
      case 'start':
        this.#id = part.id === '' ? this.#options.requestId : part.id;
        this.#model = this.#options.model ?? part.model;
        this.#usage = part.usage;
        return '';
      case 'text-delta':
      case 'refusal-delta':
        this.#text.set(part.choice, (this.#text.get(part.choice) ?? '') + part.text);
        return this.#part(part.choice, { text: part.text });
      case 'reasoning-start':
        if (part.redacted === undefined) return '';
        return this.#part(part.choice, encodePart({ type: 'reasoning', text: '', redacted: part.redacted })!);
      case 'reasoning-delta':
        return this.#part(part.choice, { text: part.text, thought: true });
      case 'reasoning-signature':
        return this.#part(part.choice, encodePart({ type: 'reasoning', text: '', signature: part.signature })!);
      case 'tool-call-start':
        this.#calls.set(keyOf(part), { id: part.id, name: part.name, text: '' });
        return '';
      case 'tool-call-delta': {
        const call = this.#calls.get(keyOf(part));
        if (call !== undefined) call.text += part.arguments;
        return '';
      }
      case 'block-end':
        return this.#endBlock(part.choice, keyOf(part));
      case 'image':
        return this.#part(part.choice, encodePart(part)!);
      case 'vendor':
        if (part.dialect !== 'gemini-generate') return '';
        if (part.event.groundingMetadata !== undefined) this.#annotations.delete(part.choice);
        if (isCandidateFact(part.event)) return this.#event([candidate(part.choice, [], part.event)]);
        return this.#part(part.choice, part.event);
      case 'finish':
        this.#finishes.push(this.#finish(part.choice, encodeFinishReason(part.reason)));
        return '';
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'end':
        return this.#event(this.#finishes);
      case 'annotation':
        this.#annotations.set(part.choice, [...(this.#annotations.get(part.choice) ?? []), part.annotation]);
        return '';
      case 'text-start':
      case 'ping':
      case 'error':
        return '';
      default:
        return part satisfies never;
    }
  }

  /** With the sources of what was said. */
  #finish(choice: number, finishReason: string): JsonObject {
    const grounding = groundingOf(this.#text.get(choice) ?? '', this.#annotations.get(choice) ?? []);
    return candidate(choice, [], { finishReason, ...grounding });
  }

  #endBlock(choice: number, key: string): string {
    const call = this.#calls.get(key);
    if (call === undefined) return '';
    this.#calls.delete(key);
    const { id, name, text } = call;
    return this.#part(choice, encodePart({ type: 'tool_call', id, name, arguments: text })!);
  }

  #part(choice: number, part: JsonObject): string {
    return this.#event([candidate(choice, [part])]);
  }

  #event(candidates: readonly JsonObject[]): string {
    return this.frame({
      candidates: [...candidates],
      ...(this.#usage === undefined ? {} : { usageMetadata: encodeUsage(this.#usage) }),
      modelVersion: this.#model,
      responseId: this.#id,
    });
  }

  protected frame(event: JsonObject): string {
    return `data: ${JSON.stringify(event)}\n\n`;
  }
}

function keyOf({ choice, block }: { choice: number; block: number }): string {
  return `${choice}/${block}`;
}

function candidate(index: number, parts: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return { content: { role: 'model', parts: [...parts] }, index, ...more };
}

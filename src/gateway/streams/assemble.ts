import type { ContentBlock, FinishReason, NeutralChoice, NeutralResponse, StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';

interface OpenChoice {
  readonly blocks: Map<number, ContentBlock>;
  finishReason: FinishReason;
  stopSequence: string | undefined;
}

/** Puts the parts of a stream together into the whole answer they tell. */
export class AnswerAssembly {
  #id = '';
  #model = '';
  #createdAt: number | undefined;
  #usage: Usage | undefined;
  readonly #choices = new Map<number, OpenChoice>();

  add(part: StreamPart): void {
    switch (part.type) {
      case 'start':
        this.#id = part.id;
        this.#model = part.model;
        this.#createdAt = part.createdAt;
        break;
      case 'text-delta':
        text(
          this.#block(part, () => ({ type: 'text', text: '' })),
          part.text,
        );
        break;
      case 'refusal-delta':
        text(
          this.#block(part, () => ({ type: 'refusal', text: '' })),
          part.text,
        );
        break;
      case 'reasoning-start':
        this.#block(part, () => ({ type: 'reasoning', text: '', ...(part.redacted && { redacted: part.redacted }) }));
        break;
      case 'reasoning-delta':
        text(
          this.#block(part, () => ({ type: 'reasoning', text: '' })),
          part.text,
        );
        break;
      case 'reasoning-signature': {
        const block = this.#block(part, () => ({ type: 'reasoning', text: '' }));
        if (block.type === 'reasoning') block.signature = (block.signature ?? '') + part.signature;
        break;
      }
      case 'tool-call-start':
        this.#block(part, () => ({
          type: 'tool_call',
          id: part.id,
          name: part.name,
          arguments: '',
          ...(part.custom === undefined ? {} : { custom: part.custom }),
        }));
        break;
      case 'tool-call-delta': {
        const block = this.#block(part, () => ({ type: 'tool_call', id: '', name: '', arguments: '' }));
        if (block.type === 'tool_call') block.arguments += part.arguments;
        break;
      }
      case 'annotation': {
        const block = this.#block(part, () => ({ type: 'text', text: '' }));
        if (block.type === 'text') block.annotations = [...(block.annotations ?? []), part.annotation];
        break;
      }
      case 'image':
        this.#block(part, () => ({ type: 'image', source: part.source }));
        break;
      case 'vendor':
        if (part.whole !== undefined) {
          const { dialect, whole } = part;
          this.#choice(part.choice).blocks.set(part.block, { type: 'vendor', dialect, block: whole });
        }
        break;
      case 'finish': {
        const choice = this.#choice(part.choice);
        choice.finishReason = part.reason;
        choice.stopSequence = part.stopSequence;
        break;
      }
      case 'usage':
        this.#usage = part.usage;
        break;
      default:
        break;
    }
  }

  response(usage: Usage | undefined): NeutralResponse {
    const choices: NeutralChoice[] = [];
    for (const [index, { blocks, finishReason, stopSequence }] of [...this.#choices].sort(([a], [b]) => a - b)) {
      const content = [...blocks].sort(([a], [b]) => a - b).map(([, block]) => block);
      choices.push({ index, content, finishReason, ...(stopSequence === undefined ? {} : { stopSequence }) });
    }
    return {
      id: this.#id,
      model: this.#model,
      createdAt: this.#createdAt,
      choices,
      usage: usage ?? this.#usage,
      extra: {},
    };
  }

  #choice(index: number): OpenChoice {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      choice = { blocks: new Map(), finishReason: 'stop', stopSequence: undefined };
      this.#choices.set(index, choice);
    }
    return choice;
  }

  #block(part: { readonly choice: number; readonly block: number }, create: () => ContentBlock): ContentBlock {
    const { blocks } = this.#choice(part.choice);
    let block = blocks.get(part.block);
    if (block === undefined) {
      block = create();
      blocks.set(part.block, block);
    }
    return block;
  }
}

function text(block: ContentBlock, piece: string): void {
  if (block.type === 'text' || block.type === 'refusal' || block.type === 'reasoning') block.text += piece;
}

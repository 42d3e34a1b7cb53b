import type { Dialect, StreamEncoder } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { FinishReason, NeutralRequest, NeutralResponse, StreamPart } from '../../core/neutral.ts';
import { totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import { bedrockConverse } from '../bedrock-converse/index.ts';
import { unknownMembers } from '../body-checks.ts';
import { EventDecoder, notAnAnswer, parseEventData, unreadableEvent } from '../event-decoder.ts';
import { plainFacts } from '../task-dialect.ts';
import { ofInvoke } from './calls.ts';
import { chunkFrame, InvokeDecoder, nothing } from './framing.ts';
import type { PromptFamily } from './prompt-families.ts';

/** A family of models that answer a prompt with a text, for callers: no provider is asked so, Converse has them all. */
export function promptDialect(family: PromptFamily): Dialect {
  const known = new Set(family.known);
  const read = (body: JsonObject): NeutralRequest => ({
    model: '',
    stream: false,
    system: [],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    maxOutputTokens: undefined,
    temperature: undefined,
    topP: undefined,
    topK: undefined,
    stop: [],
    seed: undefined,
    choices: undefined,
    presencePenalty: undefined,
    frequencyPenalty: undefined,
    responseFormat: undefined,
    reasoning: undefined,
    endUser: undefined,
    logprobs: undefined,
    serviceTier: undefined,
    includeUsageInStream: true,
    ...family.read(body),
    extra: unknownMembers(body, known),
  });
  return ofInvoke({
    ...bedrockConverse,
    inspect: (body, address) => {
      const { maxOutputTokens, messages } = read(body);
      const vision = messages.some(({ content }) => content.some(({ type }) => type === 'image'));
      return {
        ...plainFacts,
        model: address?.model,
        stream: address?.stream ?? false,
        maxOutputTokens,
        usageInStream: true,
        needs: { ...plainFacts.needs, vision },
      };
    },
    request: { ...bedrockConverse.request, decode: read },
    response: {
      decode: (body) => decoded(family, body),
      read: (body) => {
        const { text } = family.heard(body);
        return {
          id: undefined,
          model: undefined,
          usage: undefined,
          finishReason: null,
          outputBytes: Buffer.byteLength(text),
        };
      },
      encode: (response) => family.whole({ text: textOf(response), finish: finishOf(response), usage: response.usage }),
    },
    streamDecoder: () => new InvokeDecoder(new PromptDecoder(family)),
    streamEncoder: () => new PromptEncoder(family),
  });
}

/** These formats have texts only: what a model says besides is not told. */
function textOf({ choices }: NeutralResponse): string {
  const content = choices[0]?.content ?? [];
  return content.map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : '')).join('');
}

function finishOf({ choices }: NeutralResponse): FinishReason {
  return choices[0]?.finishReason ?? 'stop';
}

function decoded(family: PromptFamily, body: JsonObject): NeutralResponse {
  const { text, finish } = family.heard(body);
  if (finish === undefined) throw notAnAnswer('the reason why it ended');
  return {
    id: '',
    model: '',
    createdAt: undefined,
    choices: [{ index: 0, content: [{ type: 'text', text }], finishReason: finish }],
    usage: undefined,
    extra: {},
  };
}

class PromptEncoder implements StreamEncoder {
  readonly #family: PromptFamily;
  #usage: Usage | undefined;
  #finish: FinishReason = 'stop';

  constructor(family: PromptFamily) {
    this.#family = family;
  }

  encode(part: StreamPart): Uint8Array {
    if ('choice' in part && part.choice !== 0) return nothing;
    switch (part.type) {
      case 'text-delta':
      case 'refusal-delta':
        return chunkFrame(this.#family.chunk({ text: part.text, finish: undefined, usage: undefined }));
      case 'finish':
        this.#finish = part.reason;
        return nothing;
      case 'usage':
        this.#usage = part.usage;
        return nothing;
      case 'end':
        return this.#last();
      default:
        return nothing;
    }
  }

  #last(): Buffer {
    const usage = this.#usage;
    const last = this.#family.chunk({ text: '', finish: this.#finish, usage });
    if (usage === undefined) return chunkFrame(last);
    const metrics = { inputTokenCount: totalInputTokens(usage), outputTokenCount: totalOutputTokens(usage) };
    return chunkFrame({ ...last, 'amazon-bedrock-invocationMetrics': metrics });
  }
}

/** Reads what the encoder wrote, for answers that are kept. */
class PromptDecoder extends EventDecoder {
  readonly #family: PromptFamily;
  #isStarted = false;

  constructor(family: PromptFamily) {
    super();
    this.#family = family;
  }

  protected read(_name: string, data: string, parts: StreamPart[]): void {
    const chunk = parseEventData(data);
    if (chunk === undefined) {
      parts.push(unreadableEvent());
      return;
    }
    if (!this.#isStarted) {
      this.#isStarted = true;
      parts.push(
        { type: 'start', id: '', model: '', createdAt: undefined },
        { type: 'text-start', choice: 0, block: 0 },
      );
    }
    const { text, finish } = this.#family.heard(chunk);
    if (text !== '') parts.push({ type: 'text-delta', choice: 0, block: 0, text });
    if (finish === undefined) return;
    parts.push(
      { type: 'block-end', choice: 0, block: 0 },
      { type: 'finish', choice: 0, reason: finish },
      { type: 'end' },
    );
  }

  protected finish(): void {
    // Without its last event the answer is cut short.
  }
}

import type { AnswerOptions, StreamRelay } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { editMembers, findMember } from '../../core/json-members.ts';
import { decodeLatin1 } from '../../core/server-sent-events.ts';
import { factsOf } from '../error-facts.ts';
import { parseEventData } from '../event-decoder.ts';
import { dropEvent, EventRelay, type EventVerdict, passEvent } from '../event-relay.ts';
import { TextHole } from '../text-hole.ts';
import { mergedChoices, ReasoningMerger } from './merged-reasoning.ts';
import { decodeUsage } from './usage.ts';

/** Where chunks carry generated text, in `delta` (chat) or in the choice itself (completions). */
const textNames = ['content', 'reasoning_content', 'reasoning', 'text', 'refusal'] as const;

const nullUsage = /,\s*"usage":\s*null/;

/** Chunks of chat or text completions that stay in their format. */
export function relayChunks(options: AnswerOptions): StreamRelay {
  return new ChunkRelay(options);
}

class ChunkRelay extends EventRelay {
  readonly #options: AnswerOptions;
  readonly #hole = new TextHole();
  /** Choices begun and choices finished: an end of bytes is an end of the answer only when they are the same. */
  readonly #begun = new Set<unknown>();
  readonly #finished = new Set<unknown>();
  /** The beginning that all chunks share, up to the model's name, and what is sent instead; latin1. */
  #envelope = '';
  #replacedEnvelope = '';

  readonly #merger: ReasoningMerger | null;

  constructor(options: AnswerOptions) {
    super();
    this.#options = options;
    this.#merger = options.mergesReasoning ? new ReasoningMerger() : null;
  }

  protected judge(_name: string, data: string): EventVerdict {
    const hole = this.#hole.measure(data);
    if (hole !== -1) {
      this.progress.outputBytes += hole;
      return this.#hole.isKept ? passEvent : this.#hole.splice;
    }
    if (data.startsWith('[DONE]')) {
      this.progress.ending = 'complete';
      return passEvent;
    }
    if (data === '') return passEvent;
    const chunk = parseEventData(decodeLatin1(data));
    if (chunk === undefined) return this.failUnreadable();
    if (isError(chunk)) return this.fail(factsOf(chunk), statusOf(chunk));
    return this.#judgeChunk(chunk, data);
  }

  protected finish(): string {
    // Some servers leave out the terminal event; all choices finished is as good as that.
    if (this.#finished.size === 0 || this.#finished.size < this.#begun.size) return '';
    this.progress.ending = 'complete';
    return 'data: [DONE]\n\n';
  }

  #judgeChunk(chunk: JsonObject, data: string): EventVerdict {
    const { progress } = this;
    if (typeof chunk.id === 'string' && chunk.id !== '') progress.responseId ??= chunk.id;
    if (typeof chunk.model === 'string' && chunk.model !== '') progress.responseModel ??= chunk.model;
    const choices = Array.isArray(chunk.choices) ? chunk.choices : [];
    for (const choice of choices) if (isJsonObject(choice)) this.#readChoice(choice);
    const usage = decodeUsage(chunk.usage, chunk.service_tier);
    if (usage !== undefined) {
      progress.usage = usage;
      progress.usageComplete = true;
    }
    // Asked for by us, usage is told to nobody: neither the figures nor, in every other chunk, that there are none yet.
    const hidden = chunk.usage !== undefined && !this.#options.usageInStream;
    const merged = this.#merger === null ? undefined : mergedChoices(chunk.choices, this.#merger);
    if (merged !== undefined) return this.#replaced(data, merged, hidden);
    this.#learnEnvelope(data);
    if (this.#merger === null && usage === undefined) this.#learn(choices, data, hidden);
    const { costOf } = this.#options;
    if (usage !== undefined && costOf !== undefined && !hidden && isJsonObject(chunk.usage)) {
      return this.#priced(data, { ...chunk.usage, cost: costOf(usage) });
    }
    if (hidden) return usage !== undefined && choices.length === 0 ? dropEvent : this.#rewritten(data, true);
    return this.#options.model === undefined ? passEvent : this.#rewritten(data, false);
  }

  #readChoice(choice: JsonObject): void {
    this.#begun.add(choice.index);
    const generated = generatedBytes(choice);
    if (generated > 0) {
      this.progress.contentStarted = true;
      this.progress.outputBytes += generated;
    }
    if (typeof choice.finish_reason === 'string') {
      this.#finished.add(choice.index);
      this.progress.finishReason = choice.finish_reason;
    }
  }

  /** Remembers the shape of a chunk that holds nothing but some text of one choice. */
  #learn(choices: readonly unknown[], data: string, withoutUsage: boolean): void {
    const choice = choices[0];
    if (choices.length !== 1 || !isJsonObject(choice) || typeof choice.finish_reason === 'string') return;
    const name = soleTextName(choice);
    if (name === undefined) return;
    const needle = data.includes(`"${name}":"`) ? `"${name}":"` : `"${name}": "`;
    this.#hole.learn(data, needle, (head) => this.#restamped(head), withoutUsage ? nullUsage : null);
  }

  #rewritten(data: string, withoutUsage: boolean): EventVerdict {
    const { model } = this.#options;
    const restamped = withoutUsage ? undefined : this.#restamped(data);
    if (restamped !== undefined) return { skip: data.length, instead: Buffer.from(restamped, 'latin1') };
    const edits = new Map<string, unknown>();
    if (model !== undefined) edits.set('model', model);
    if (withoutUsage) edits.set('usage', undefined);
    return { skip: data.length, instead: editMembers(Buffer.from(data, 'latin1'), edits) };
  }

  #replaced(data: string, choices: readonly unknown[], withoutUsage: boolean): EventVerdict {
    const edits = new Map<string, unknown>([['choices', choices]]);
    if (this.#options.model !== undefined) edits.set('model', this.#options.model);
    if (withoutUsage) edits.set('usage', undefined);
    return { skip: data.length, instead: editMembers(Buffer.from(data, 'latin1'), edits) };
  }

  #priced(data: string, usage: JsonObject): EventVerdict {
    const edits = new Map<string, unknown>([['usage', usage]]);
    if (this.#options.model !== undefined) edits.set('model', this.#options.model);
    return { skip: data.length, instead: editMembers(Buffer.from(data, 'latin1'), edits) };
  }

  /** With the caller's model name in the place of the provider's; undefined when that is not where it is expected. */
  #restamped(data: string): string | undefined {
    if (this.#options.model === undefined) return data;
    if (this.#envelope === '' || !data.startsWith(this.#envelope)) return undefined;
    return this.#replacedEnvelope + data.slice(this.#envelope.length);
  }

  /** All chunks of an answer begin alike (id, object, created, model), so the model's place is looked for once. */
  #learnEnvelope(data: string): void {
    const { model } = this.#options;
    if (model === undefined || this.#envelope !== '') return;
    const bytes = Buffer.from(data, 'latin1');
    const found = findMember(bytes, 'model');
    if (found === undefined) return;
    const envelope = bytes.toString('latin1', 0, found.valueEnd);
    if (envelope.includes('"choices"')) return;
    this.#envelope = envelope;
    const name = Buffer.from(JSON.stringify(model)).toString('latin1');
    this.#replacedEnvelope = bytes.toString('latin1', 0, found.valueStart) + name;
  }
}

/** The object that holds what was generated: `delta` of a chat chunk, `message` of a whole answer, else the choice. */
export function generatedIn(choice: JsonObject): JsonObject {
  if (isJsonObject(choice.delta)) return choice.delta;
  return isJsonObject(choice.message) ? choice.message : choice;
}

/** UTF-8 bytes of what one choice of a chunk, or of a whole answer, brings: text, reasoning, tool calls. */
export function generatedBytes(choice: JsonObject): number {
  const generated = generatedIn(choice);
  let bytes = 0;
  for (const name of textNames) bytes += byteLength(generated[name]);
  if (Array.isArray(generated.content)) bytes += byteLength(JSON.stringify(generated.content));
  if (bytes === 0 && Array.isArray(generated.thinking_blocks)) {
    for (const block of generated.thinking_blocks) {
      if (isJsonObject(block)) bytes += byteLength(block.thinking) + byteLength(block.data);
    }
  }
  const calls = Array.isArray(generated.tool_calls)
    ? generated.tool_calls
    : [{ function: generated.function_call } as JsonObject];
  for (const call of calls) {
    if (!isJsonObject(call)) continue;
    const called = isJsonObject(call.function) ? call.function : isJsonObject(call.custom) ? call.custom : undefined;
    if (called !== undefined)
      bytes += byteLength(called.name) + byteLength(called.arguments) + byteLength(called.input);
  }
  if (Array.isArray(generated.images)) bytes += byteLength(JSON.stringify(generated.images));
  if (isJsonObject(generated.audio)) bytes += byteLength(generated.audio.data) + byteLength(generated.audio.transcript);
  return bytes;
}

function byteLength(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

/** The name of the one string that this chunk adds; undefined when it adds several or none. */
function soleTextName(choice: JsonObject): string | undefined {
  const generated = generatedIn(choice);
  const names: string[] = textNames.filter((name) => byteLength(generated[name]) > 0);
  if (Array.isArray(generated.tool_calls)) {
    for (const call of generated.tool_calls) {
      const called = isJsonObject(call) ? call.function : undefined;
      if (isJsonObject(called) && typeof called.name === 'string') return undefined;
      names.push('arguments');
    }
  }
  return names.length === 1 ? names[0] : undefined;
}

/** Is this a provider's error told inside an answer? */
export function isError(chunk: JsonObject): boolean {
  return (chunk.error !== undefined && chunk.error !== null) || chunk.object === 'error' || chunk.type === 'error';
}

/** HTTP status that an error told in a stream claims for itself. */
export function statusOf(chunk: JsonObject): number | undefined {
  const error = isJsonObject(chunk.error) ? chunk.error : chunk;
  for (const value of [error.code, error.status, error.status_code]) {
    const status = typeof value === 'string' ? Number(value) : value;
    if (typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  return undefined;
}

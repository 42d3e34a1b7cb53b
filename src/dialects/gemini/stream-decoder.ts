import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { EventDecoder, parseEventData, unreadableEvent } from '../event-decoder.ts';
import { CallIds, decodePart, partsOf } from './decode-content.ts';
import { googleErrorFacts } from './errors.ts';
import { field } from './fields.ts';
import { decodeFinishReason } from './finish-reason.ts';
import { candidateFactsOf, citationsOf } from './grounding.ts';
import { isComplete, noteFinish } from './relay.ts';
import { blockReasonOf, contentOf, idPrefixOf } from './response.ts';
import { decodeUsage, searchesOf } from './usage.ts';

interface OpenCandidate {
  readonly ids: CallIds;
  /** What the parts are being added to; null between blocks. */
  open: 'text' | 'reasoning' | null;
  block: number;
  /** Of the block, for places in it. */
  text: string;
  isCalling: boolean;
  isFinished: boolean;
}

/** https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent */
export class GenerateStreamDecoder extends EventDecoder {
  readonly #candidates = new Map<number, OpenCandidate>();
  readonly #finished = new Map<number, boolean>();
  #hasStarted = false;
  #model = '';
  #searches = 0;
  #usage: Usage | undefined;

  protected read(_name: string, data: string, parts: StreamPart[]): void {
    if (data === '') return;
    const event = parseEventData(data);
    if (event === undefined) {
      parts.push(unreadableEvent());
      return;
    }
    if (event.error !== undefined) {
      const { message, type, code, kind, status } = googleErrorFacts(event);
      parts.push({ type: 'error', message, errorType: type, code, kind, status });
      return;
    }
    const candidates = field(event, 'candidates');
    const list = Array.isArray(candidates) ? candidates.filter(isJsonObject) : [];
    this.#readUsage(event, list);
    if (!this.#hasStarted) this.#start(event, parts);
    for (const candidate of list) this.#readCandidate(event, candidate, parts);
    if (blockReasonOf(event) !== undefined && this.#candidates.size === 0) {
      this.#finished.set(0, true);
      this.#candidates.set(0, { ...newCandidate(new CallIds()), isFinished: true });
      parts.push({ type: 'finish', choice: 0, reason: 'content_filter' });
    }
    if (this.#usage !== undefined && isComplete(this.#finished)) parts.push({ type: 'usage', usage: this.#usage });
  }

  protected finish(parts: StreamPart[]): void {
    if (isComplete(this.#finished)) parts.push({ type: 'end' });
  }

  #readUsage(event: JsonObject, candidates: readonly JsonObject[]): void {
    const model = field(event, 'modelVersion');
    if (typeof model === 'string') this.#model = model;
    this.#searches = Math.max(this.#searches, searchesOf(candidates, this.#model));
    this.#usage = decodeUsage(field(event, 'usageMetadata'), this.#searches) ?? this.#usage;
  }

  #start(event: JsonObject, parts: StreamPart[]): void {
    this.#hasStarted = true;
    const id = field(event, 'responseId');
    parts.push({
      type: 'start',
      id: typeof id === 'string' ? id : '',
      model: this.#model,
      createdAt: undefined,
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
    });
  }

  #readCandidate(event: JsonObject, candidate: JsonObject, parts: StreamPart[]): void {
    const given = field(candidate, 'index');
    const choice = typeof given === 'number' ? given : 0;
    let open = this.#candidates.get(choice);
    if (open === undefined) {
      open = newCandidate(new CallIds(idPrefixOf(event, choice)));
      this.#candidates.set(choice, open);
    }
    noteFinish(this.#finished, candidate);
    if (open.isFinished) return;
    for (const part of partsOf(contentOf(candidate))) {
      for (const block of decodePart(part, open.ids)) addBlock(choice, open, block, parts);
    }
    if (open.open === 'text') {
      for (const annotation of citationsOf(candidate, open.text)) {
        parts.push({ type: 'annotation', choice, block: open.block, annotation });
      }
    }
    for (const block of candidateFactsOf(candidate)) vendor(choice, open, block, parts);
    if (this.#finished.get(choice) !== true) return;
    open.isFinished = true;
    close(choice, open, parts);
    const reason = decodeFinishReason(String(field(candidate, 'finishReason')), open.isCalling);
    parts.push({ type: 'finish', choice, reason });
  }
}

function newCandidate(ids: CallIds): OpenCandidate {
  return { ids, open: null, block: 0, text: '', isCalling: false, isFinished: false };
}

function addBlock(choice: number, open: OpenCandidate, content: ContentBlock, parts: StreamPart[]): void {
  switch (content.type) {
    case 'text':
      if (open.open !== 'text') {
        close(choice, open, parts);
        open.open = 'text';
        open.text = '';
        parts.push({ type: 'text-start', choice, block: open.block });
      }
      open.text += content.text;
      parts.push({ type: 'text-delta', choice, block: open.block, text: content.text });
      return;
    case 'reasoning':
      addReasoning(choice, open, content, parts);
      return;
    case 'tool_call': {
      close(choice, open, parts);
      open.isCalling = true;
      const { block } = open;
      parts.push({ type: 'tool-call-start', choice, block, id: content.id, name: content.name });
      parts.push({ type: 'tool-call-delta', choice, block, arguments: content.arguments });
      parts.push({ type: 'block-end', choice, block });
      open.block += 1;
      return;
    }
    case 'image':
      close(choice, open, parts);
      parts.push({ type: 'image', choice, block: open.block, source: content.source });
      open.block += 1;
      return;
    case 'audio':
    case 'file':
      if (content.source.kind === 'base64') {
        const { mediaType, base64 } = content.source;
        vendor(choice, open, { inlineData: { mimeType: mediaType, data: base64 } }, parts);
      }
      return;
    case 'vendor':
      vendor(choice, open, content.block, parts);
      return;
    case 'refusal':
    case 'tool_result':
      return;
    default:
      content satisfies never;
  }
}

function addReasoning(
  choice: number,
  open: OpenCandidate,
  content: { text: string; signature?: string; redacted?: string },
  parts: StreamPart[],
): void {
  if (open.open !== 'reasoning' || content.redacted !== undefined) {
    close(choice, open, parts);
    open.open = 'reasoning';
    const redacted = content.redacted === undefined ? {} : { redacted: content.redacted };
    parts.push({ type: 'reasoning-start', choice, block: open.block, ...redacted });
  }
  const { block } = open;
  if (content.text !== '') parts.push({ type: 'reasoning-delta', choice, block, text: content.text });
  if (content.signature !== undefined) {
    parts.push({ type: 'reasoning-signature', choice, block, signature: content.signature });
  }
  if (content.signature !== undefined || content.redacted !== undefined) close(choice, open, parts);
}

function vendor(choice: number, open: OpenCandidate, event: JsonObject, parts: StreamPart[]): void {
  close(choice, open, parts);
  parts.push({ type: 'vendor', choice, block: open.block, dialect: 'gemini-generate', event });
  open.block += 1;
}

function close(choice: number, open: OpenCandidate, parts: StreamPart[]): void {
  if (open.open === null) return;
  parts.push({ type: 'block-end', choice, block: open.block });
  open.open = null;
  open.block += 1;
}

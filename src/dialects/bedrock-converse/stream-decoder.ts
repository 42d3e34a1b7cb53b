import { type AwsFrame, AwsFrameSplitter, awsFrames } from '../../core/aws-event-stream.ts';
import type { StreamDecoder } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason, StreamPart } from '../../core/neutral.ts';
import { jsonToolName } from '../anthropic-messages/decode-content.ts';
import { exceptionFacts } from './errors.ts';
import { parsePayload } from './relay.ts';
import { decodeStopReason } from './stop-reason.ts';
import { decodeUsage } from './usage.ts';

const dialect = 'bedrock-converse';
const choice = 0;

/** `structured` is the stand-in tool for structured output: a text to the caller. */
type BlockKind = 'text' | 'reasoning' | 'call' | 'structured' | 'vendor';

export class ConverseStreamDecoder implements StreamDecoder {
  readonly #splitter = new AwsFrameSplitter();
  readonly #kinds = new Map<number, BlockKind>();
  readonly #silentCalls = new Set<number>();
  #hasCalled = false;
  #isStructured = false;
  #hasStarted = false;
  #isStopped = false;
  #isOver = false;

  push(chunk: Uint8Array, parts: StreamPart[]): void {
    const whole = this.#splitter.push(chunk);
    if (whole === null) return;
    for (const frame of awsFrames(whole)) {
      if (this.#isOver) return;
      this.#read(frame, parts);
    }
  }

  end(parts: StreamPart[]): void {
    if (this.#isStopped && !this.#isOver && !this.#splitter.isCut) this.#end(parts);
  }

  #end(parts: StreamPart[]): void {
    this.#isOver = true;
    parts.push({ type: 'end' });
  }

  #read({ headers, payload }: AwsFrame, parts: StreamPart[]): void {
    if (headers.get(':message-type') !== 'event') {
      const exception = headers.get(':exception-type') ?? headers.get(':error-code') ?? 'internalServerException';
      const { message, type, code, kind, status } = exceptionFacts(exception, payload);
      parts.push({ type: 'error', message, errorType: type, code, kind, status });
      this.#isOver = true;
      return;
    }
    const event = parsePayload(payload);
    const block = typeof event.contentBlockIndex === 'number' ? event.contentBlockIndex : 0;
    switch (headers.get(':event-type')) {
      case 'messageStart':
        this.#start(parts);
        return;
      case 'contentBlockStart':
        this.#start(parts);
        this.#startBlock(block, event, parts);
        return;
      case 'contentBlockDelta':
        this.#start(parts);
        if (isJsonObject(event.delta)) this.#addDelta(block, event.delta, event, parts);
        return;
      case 'contentBlockStop':
        this.#stopBlock(block, parts);
        return;
      case 'messageStop':
        this.#isStopped = true;
        parts.push({ type: 'finish', choice, reason: this.#reason(decodeStopReason(event.stopReason)) });
        return;
      case 'metadata': {
        const usage = decodeUsage(event.usage, event.serviceTier);
        if (usage !== undefined) parts.push({ type: 'usage', usage });
        if (this.#isStopped) this.#end(parts);
        return;
      }
      default:
    }
  }

  #start(parts: StreamPart[]): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    parts.push({ type: 'start', id: '', model: '', createdAt: undefined });
  }

  #startBlock(block: number, event: JsonObject, parts: StreamPart[]): void {
    const start = isJsonObject(event.start) ? event.start : {};
    const call = start.toolUse;
    if (!isJsonObject(call)) {
      this.#kinds.set(block, 'vendor');
      parts.push({ type: 'vendor', choice, block, dialect, event: { contentBlockStart: start } });
    } else if (call.name === jsonToolName) {
      this.#isStructured = true;
      this.#kinds.set(block, 'structured');
      parts.push({ type: 'text-start', choice, block });
    } else {
      this.#hasCalled = true;
      this.#kinds.set(block, 'call');
      this.#silentCalls.add(block);
      parts.push({ type: 'tool-call-start', choice, block, id: String(call.toolUseId), name: String(call.name) });
    }
  }

  #addDelta(block: number, delta: JsonObject, event: JsonObject, parts: StreamPart[]): void {
    const { text, toolUse, reasoningContent, citation } = delta;
    if (typeof text === 'string') {
      if (this.#open(block, 'text')) parts.push({ type: 'text-start', choice, block });
      if (text !== '') parts.push({ type: 'text-delta', choice, block, text });
    } else if (isJsonObject(toolUse) && this.#kinds.get(block) !== 'vendor') {
      if (typeof toolUse.input !== 'string' || toolUse.input === '') return;
      this.#silentCalls.delete(block);
      const input = toolUse.input;
      if (this.#kinds.get(block) === 'structured') parts.push({ type: 'text-delta', choice, block, text: input });
      else parts.push({ type: 'tool-call-delta', choice, block, arguments: input });
    } else if (isJsonObject(reasoningContent)) this.#addReasoning(block, reasoningContent, parts);
    else if (isJsonObject(citation) && this.#kinds.get(block) === 'text') {
      parts.push({ type: 'annotation', choice, block, annotation: citation });
    } else {
      this.#open(block, 'vendor');
      parts.push({ type: 'vendor', choice, block, dialect, event: { contentBlockDelta: event.delta } });
    }
  }

  #addReasoning(block: number, { text, signature, redactedContent }: JsonObject, parts: StreamPart[]): void {
    if (this.#open(block, 'reasoning')) {
      const redacted = typeof redactedContent === 'string' ? { redacted: redactedContent } : {};
      parts.push({ type: 'reasoning-start', choice, block, ...redacted });
    }
    if (typeof text === 'string' && text !== '') parts.push({ type: 'reasoning-delta', choice, block, text });
    if (typeof signature === 'string' && signature !== '') {
      parts.push({ type: 'reasoning-signature', choice, block, signature });
    }
  }

  /** True when the block begins here: texts and reasoning have no beginning of their own. */
  #open(block: number, kind: BlockKind): boolean {
    if (this.#kinds.has(block)) return false;
    this.#kinds.set(block, kind);
    return true;
  }

  #stopBlock(block: number, parts: StreamPart[]): void {
    const kind = this.#kinds.get(block);
    if (kind === undefined) return;
    this.#kinds.delete(block);
    // A call without arguments says nothing here; others want JSON to parse.
    if (this.#silentCalls.delete(block)) parts.push({ type: 'tool-call-delta', choice, block, arguments: '{}' });
    if (kind === 'vendor') parts.push({ type: 'vendor', choice, block, dialect, event: { contentBlockStop: {} } });
    else parts.push({ type: 'block-end', choice, block });
  }

  #reason(reason: FinishReason): FinishReason {
    return reason === 'tool_calls' && this.#isStructured && !this.#hasCalled ? 'stop' : reason;
  }
}

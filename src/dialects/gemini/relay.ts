import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { decodeLatin1 } from '../../core/server-sent-events.ts';
import { parseEventData } from '../event-decoder.ts';
import { EventRelay, type EventVerdict, passEvent } from '../event-relay.ts';
import { googleErrorFacts } from './errors.ts';
import { field } from './fields.ts';
import { blockReasonOf, generatedBytes } from './response.ts';
import { decodeUsage, searchesOf } from './usage.ts';

/**
 * Events that stay in their format. Each holds usage so far. The format has no terminal event: a stream is complete when
 * it ends after every candidate has told why it finished.
 */
export class GenerateRelay extends EventRelay {
  readonly #finished = new Map<number, boolean>();
  #searches = 0;

  protected judge(_name: string, data: string): EventVerdict {
    if (data === '') return passEvent;
    const event = parseEventData(decodeLatin1(data));
    if (event === undefined) return this.failUnreadable();
    if (event.error !== undefined) {
      const { status, ...facts } = googleErrorFacts(event);
      return this.fail(facts, status);
    }
    this.#read(event);
    return passEvent;
  }

  protected finish(): string {
    if (isComplete(this.#finished)) this.progress.ending = 'complete';
    return '';
  }

  #read(event: JsonObject): void {
    const { progress } = this;
    const id = field(event, 'responseId');
    if (typeof id === 'string') progress.responseId = id;
    const model = field(event, 'modelVersion');
    if (typeof model === 'string') progress.responseModel = model;
    const candidates = field(event, 'candidates');
    const list = Array.isArray(candidates) ? candidates.filter(isJsonObject) : [];
    for (const candidate of list) {
      const bytes = generatedBytes(candidate);
      progress.outputBytes += bytes;
      if (bytes > 0) progress.contentStarted = true;
      const reason = field(candidate, 'finishReason');
      if (typeof reason === 'string') progress.finishReason = reason;
      noteFinish(this.#finished, candidate);
    }
    const blocked = blockReasonOf(event);
    if (blocked !== undefined) {
      progress.finishReason = blocked;
      this.#finished.set(0, true);
    }
    this.#searches = Math.max(this.#searches, searchesOf(list, progress.responseModel ?? ''));
    const usage = decodeUsage(field(event, 'usageMetadata'), this.#searches);
    if (usage === undefined) return;
    progress.usage = usage;
    progress.usageComplete = isComplete(this.#finished);
  }
}

/** Which candidates have begun, and which of them have told why they ended. */
export function noteFinish(finished: Map<number, boolean>, candidate: JsonObject): void {
  const given = field(candidate, 'index');
  const index = typeof given === 'number' ? given : 0;
  const reason = field(candidate, 'finishReason');
  const isOver = typeof reason === 'string' && reason !== 'FINISH_REASON_UNSPECIFIED';
  if (isOver || !finished.has(index)) finished.set(index, isOver);
}

export function isComplete(finished: ReadonlyMap<number, boolean>): boolean {
  return finished.size > 0 && [...finished.values()].every((isOver) => isOver);
}

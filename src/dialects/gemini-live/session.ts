import type { BodyEdits } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { HeardInSession, SaidInSession, SessionFormat } from '../../core/session-format.ts';
import { field, nameIn } from '../gemini/fields.ts';
import { liveUsage, type ToldUsage } from './usage.ts';

const nothing: readonly HeardInSession[] = [];
/** What stands in messages that end something, or tell what it came to. */
const ends = /"(?:usageMetadata|usage_metadata|turnComplete|turn_complete|groundingMetadata|grounding_metadata)"/;

/**
 * https://ai.google.dev/api/live: the first message names the model; what the model says ends with `turnComplete`, and
 * `usageMetadata` tells what an answer came to, the whole context read again for each. Between a call of a tool and what is
 * said of its result a new answer begins, which is paid for by itself.
 */
export class GeminiLiveSession implements SessionFormat {
  readonly modelIn = 'first message';
  /** As the provider calls it. */
  #model = '';
  #answers = 0;
  #isActive = false;
  /** The answer is over, and what it came to is not told yet. */
  #isAwaited = false;
  /** The caller has said what a tool came to: what is said now has read that too. */
  #isGoingOn = false;
  /** As it was told last: an answer may be told several times, further on each time. */
  #told: ToldUsage | null = null;
  readonly #searches = new Set<string>();

  said(text: string): SaidInSession | null {
    // Sound and pictures begin answers by the provider's own judgement.
    if (!/setup|client_?content|tool_?response|\\u/i.test(text)) return null;
    const message = parsed(text);
    if (message === undefined) return null;
    const setup = field(message, 'setup');
    if (isJsonObject(setup)) {
      return opening(message, setup, (model) => {
        this.#model = model;
      });
    }
    const content = field(message, 'clientContent');
    if (isJsonObject(content) && field(content, 'turnComplete') === true) return { kind: 'turn' };
    if (!isJsonObject(field(message, 'toolResponse'))) return null;
    this.#isGoingOn = this.#isActive;
    return { kind: 'turn' };
  }

  heard(text: string): readonly HeardInSession[] {
    if (this.#isActive && !this.#isAwaited && !this.#isGoingOn && !ends.test(text)) return nothing;
    const message = parsed(text);
    return message === undefined ? nothing : this.#notice(message);
  }

  #notice(message: JsonObject): HeardInSession[] {
    const content = field(message, 'serverContent');
    const inside = isJsonObject(content) ? content : {};
    const isSpeaking =
      field(inside, 'modelTurn') !== undefined ||
      field(inside, 'outputTranscription') !== undefined ||
      field(message, 'toolCall') !== undefined;
    const told = liveUsage(field(message, 'usageMetadata'));
    const events: HeardInSession[] = [];
    // What was awaited is told now, or never: something else has begun.
    if (this.#isAwaited && told !== undefined) this.#told = told;
    const isNext = this.#isGoingOn && this.#told !== null;
    const hasReadMore = told !== undefined && this.#told !== null && told.prompt !== this.#told.prompt;
    if (
      this.#isAwaited ? told !== undefined || isSpeaking : this.#isActive && ((isSpeaking && isNext) || hasReadMore)
    ) {
      const wasAwaited = this.#isAwaited;
      events.push(this.#ended());
      if (wasAwaited && told !== undefined && !isSpeaking) return events;
    }
    if (!this.#isActive && (isSpeaking || told !== undefined)) events.push(this.#began());
    if (told !== undefined) this.#told = told;
    this.#countSearches(field(inside, 'groundingMetadata'));
    const isOver = field(inside, 'turnComplete') === true;
    // It may have listened, and said nothing.
    const wasSilent = told !== undefined && !isSpeaking && events.at(-1)?.kind === 'turn_began';
    if (this.#isActive && (isOver || wasSilent)) {
      if (this.#told === null) this.#isAwaited = true;
      else events.push(this.#ended());
    }
    return events;
  }

  #began(): HeardInSession {
    this.#answers += 1;
    this.#isActive = true;
    return { kind: 'turn_began', id: String(this.#answers) };
  }

  #ended(): HeardInSession {
    const made = this.#searches.size;
    // As with single requests: by models of the first generations a grounded answer is billed once.
    const webSearchCalls = /gemini-[12]/.test(this.#model) ? Math.min(1, made) : made;
    const usage = this.#told === null ? undefined : { ...this.#told.usage, webSearchCalls };
    this.#isActive = false;
    this.#isAwaited = false;
    this.#isGoingOn = false;
    this.#told = null;
    this.#searches.clear();
    return { kind: 'turn_ended', id: String(this.#answers), usage };
  }

  #countSearches(grounding: unknown): void {
    const queries = isJsonObject(grounding) ? field(grounding, 'webSearchQueries') : undefined;
    if (Array.isArray(queries)) for (const query of queries) this.#searches.add(String(query));
  }

  cancelTurn(): null {
    return null;
  }

  error(): null {
    return null;
  }

  transcriptsBegin(): string {
    return '{}';
  }
}

function opening(message: JsonObject, setup: JsonObject, named: (model: string) => void): SaidInSession | null {
  const model = field(setup, 'model');
  if (typeof model !== 'string') return null;
  const generation = field(setup, 'generationConfig');
  const maxOutputTokens = isJsonObject(generation) ? field(generation, 'maxOutputTokens') : undefined;
  const tools = field(setup, 'tools');
  const searches = Array.isArray(tools) && tools.some((tool) => isJsonObject(tool) && field(tool, 'googleSearch'));
  return {
    kind: 'opens',
    turn: {
      // `models/name`, `publishers/google/models/name`, a whole resource name: the caller means the last part.
      model: model.replace(/^.*\bmodels\//, ''),
      ...(typeof maxOutputTokens === 'number' ? { max_output_tokens: maxOutputTokens } : {}),
      ...(searches ? { searches: true } : {}),
    },
    setup,
    withEdits: (edits: BodyEdits) => {
      named(String(edits.get('model') ?? model));
      const changed = { ...setup, ...Object.fromEntries(edits) } as JsonObject;
      return JSON.stringify({ ...message, [nameIn(message, 'setup')]: changed });
    },
  };
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

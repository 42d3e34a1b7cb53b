import type { BodyEdits } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/*
 * Reasoning told as the beginning of the content, between `<think>` and `</think>`, for clients that know no field of its own
 * for it (`merge_reasoning_content_in_choices`).
 */

const opening = '<think>';
const closing = '</think>';

/** Where reasoning stands in the words of different servers. */
const reasoningNames = ['reasoning_content', 'reasoning'] as const;

/** Knows of each choice whether its thinking is still open. */
export class ReasoningMerger {
  readonly #thinking = new Set<unknown>();
  readonly #thought = new Set<unknown>();

  /** Content in place of reasoning. */
  reasoning(choice: unknown, text: string): string {
    if (text === '') return '';
    this.#thinking.add(choice);
    if (this.#thought.has(choice)) return text;
    this.#thought.add(choice);
    return opening + text;
  }

  /** What is owed before anything else of the choice follows, and at its end. */
  close(choice: unknown): string {
    return this.#thinking.delete(choice) ? closing : '';
  }

  /** One choice of a chunk, or of a whole answer; undefined where nothing changes. */
  choice(choice: JsonObject): JsonObject | undefined {
    const name = isJsonObject(choice.delta) ? 'delta' : 'message';
    const said = choice[name];
    if (!isJsonObject(said)) return undefined;
    const text = reasoningNames.map((field) => said[field]).find((value) => typeof value === 'string' && value !== '');
    const thought = this.reasoning(choice.index, typeof text === 'string' ? text : '');
    const content = typeof said.content === 'string' ? said.content : '';
    const goesOn = content !== '' || said.tool_calls !== undefined || typeof choice.finish_reason === 'string';
    const end = goesOn ? this.close(choice.index) : '';
    if (thought === '' && end === '') return undefined;
    const { reasoning_content: _content, reasoning: _reasoning, thinking_blocks: _blocks, ...rest } = said;
    return { ...choice, [name]: { ...rest, content: thought + end + content } };
  }
}

/** The choices of a chunk with their reasoning in the content; undefined where nothing changes. */
export function mergedChoices(choices: Json | undefined, merger: ReasoningMerger): Json[] | undefined {
  if (!Array.isArray(choices)) return undefined;
  let changed = false;
  const merged = choices.map((choice) => {
    const own = isJsonObject(choice) ? merger.choice(choice) : undefined;
    changed ||= own !== undefined;
    return own ?? choice;
  });
  return changed ? merged : undefined;
}

/** Edits of a whole answer. */
export function mergedAnswer(body: JsonObject): BodyEdits {
  const choices = mergedChoices(body.choices, new ReasoningMerger());
  return choices === undefined ? new Map() : new Map([['choices', choices]]);
}

import type { Kysely } from 'kysely';
import type { Database } from './engine.ts';

/** SQL of one statement, written once for each engine and number of values. */
export class StatementTexts {
  readonly #byEngine = new WeakMap<object, Map<number, string>>();

  of(database: Kysely<Database>, values: number, write: () => string): string {
    const engine = database.getExecutor().adapter;
    let texts = this.#byEngine.get(engine);
    if (texts === undefined) {
      texts = new Map();
      this.#byEngine.set(engine, texts);
    }
    let text = texts.get(values);
    if (text === undefined) {
      text = write();
      texts.set(values, text);
    }
    return text;
  }
}

import type { InsertQueryBuilder, Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { SqlRow } from './columns.ts';
import type { Database } from './engine.ts';
import { StatementTexts } from './statement-texts.ts';

type Insert = InsertQueryBuilder<Database, string, SqlRow>;

/** A few fixed statement sizes, so that every statement is compiled and prepared once. */
const rowCounts = [128, 64, 32, 16, 8, 4, 2, 1] as const;

/** Inserts many rows of one table in few statements whose text is made once. */
export class BulkInsert {
  readonly #table: string;
  readonly #columns: readonly string[];
  readonly #finish: (insert: Insert) => Insert;
  readonly #texts = new StatementTexts();

  /** `finish` adds what follows the values: what to do on conflict, what to return. */
  constructor(table: string, columns: readonly string[], finish: (insert: Insert) => Insert) {
    this.#table = table;
    this.#columns = columns;
    this.#finish = finish;
  }

  /** `rows` hold the values in the order of the columns. Resolves to the rows returned. */
  async run(database: Kysely<Database>, rows: readonly (readonly unknown[])[]): Promise<SqlRow[]> {
    const returned: SqlRow[] = [];
    let start = 0;
    for (const count of rowCounts) {
      for (; rows.length - start >= count; start += count) {
        const text = this.#text(database, count);
        const values = rows.slice(start, start + count).flat();
        const result = await database.executeQuery<SqlRow>(CompiledQuery.raw(text, values));
        for (const row of result.rows) returned.push(row);
      }
    }
    return returned;
  }

  #text(database: Kysely<Database>, count: number): string {
    return this.#texts.of(database, count, () => {
      const row = Object.fromEntries(this.#columns.map((column) => [column, '']));
      const insert = database.insertInto(this.#table).values(Array.from({ length: count }, () => row));
      return this.#finish(insert as unknown as Insert).compile().sql;
    });
  }
}

import type { InsertQueryBuilder, Kysely, QueryResult } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { SqlRow } from './columns.ts';
import type { Database } from './engine.ts';
import { StatementTexts } from './statement-texts.ts';

export type Insert = InsertQueryBuilder<Database, string, SqlRow>;

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
    await this.#each(database, rows, (result) => {
      for (const row of result.rows) returned.push(row);
    });
    return returned;
  }

  /** As `run`, for statements that return nothing. Resolves to the number of rows written. */
  async count(database: Kysely<Database>, rows: readonly (readonly unknown[])[]): Promise<number> {
    let written = 0;
    await this.#each(database, rows, ({ numAffectedRows }) => {
      written += Number(numAffectedRows);
    });
    return written;
  }

  async #each(
    database: Kysely<Database>,
    rows: readonly (readonly unknown[])[],
    onResult: (result: QueryResult<SqlRow>) => void,
  ): Promise<void> {
    const width = this.#columns.length;
    let start = 0;
    for (const count of rowCounts) {
      for (; rows.length - start >= count; start += count) {
        const values = new Array<unknown>(count * width);
        for (let index = 0; index < count; index++) {
          const row = rows[start + index]!;
          for (let column = 0; column < width; column++) values[index * width + column] = row[column];
        }
        onResult(await database.executeQuery<SqlRow>(CompiledQuery.raw(this.#text(database, count), values)));
      }
    }
  }

  #text(database: Kysely<Database>, count: number): string {
    return this.#texts.of(database, count, () => {
      const row = Object.fromEntries(this.#columns.map((column) => [column, '']));
      const insert = database.insertInto(this.#table).values(Array.from({ length: count }, () => row));
      return this.#finish(insert as unknown as Insert).compile().sql;
    });
  }
}

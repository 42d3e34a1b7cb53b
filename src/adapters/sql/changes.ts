import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { ChangeRecord, ChangeRepository } from '../../core/store.ts';
import { wholeNumber } from './columns.ts';
import type { Database } from './engine.ts';

/** Changes kept for those who were away; whoever missed more forgets everything. */
const changesKept = 10_000;
/** So many versions apart the old ones are removed. */
const pruneEvery = 100;

/**
 * Changes in the order of their commits. The counter's row stays locked from the append to the commit, so that no lower
 * version can appear after a higher one was read.
 */
export class SqlChanges implements ChangeRepository {
  readonly #reader: Kysely<Database>;
  readonly #writer: Kysely<Database>;

  constructor(reader: Kysely<Database>, writer: Kysely<Database>) {
    this.#reader = reader;
    this.#writer = writer;
  }

  async append(changes: readonly { readonly scope: string; readonly id: string }[]): Promise<void> {
    if (changes.length === 0) return;
    const counter = await this.#writer
      .insertInto('change_counter')
      .values({ name: 'changes', version: changes.length })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ version: sql`change_counter.version + excluded.version` }),
      )
      .returning('version')
      .executeTakeFirstOrThrow();
    const newest = wholeNumber(counter.version);
    const before = newest - changes.length;
    const rows = changes.map(({ scope, id }, index) => ({ version: before + index + 1, scope, id }));
    await this.#writer.insertInto('changes').values(rows).execute();
    if (Math.floor(newest / pruneEvery) > Math.floor(before / pruneEvery)) {
      await this.#writer
        .deleteFrom('changes')
        .where('version', '<=', newest - changesKept)
        .execute();
    }
  }

  async newest(): Promise<number> {
    const row = await this.#reader
      .selectFrom('change_counter')
      .select('version')
      .where('name', '=', 'changes')
      .executeTakeFirst();
    return wholeNumber(row?.version);
  }

  async since(version: number): Promise<ChangeRecord[] | null> {
    const rows = await this.#reader
      .selectFrom('changes')
      .selectAll()
      .where('version', '>', version)
      .orderBy('version')
      .execute();
    const changes = rows.map((row) => ({
      version: wholeNumber(row.version),
      scope: row.scope as string,
      id: row.id as string,
    }));
    const oldest = changes[0];
    if (oldest === undefined) return (await this.newest()) > version ? null : [];
    return oldest.version === version + 1 ? changes : null;
  }
}

import { sql } from 'kysely';
import type { ReplicaBeat, ReplicaRepository } from '../../core/store.ts';
import { wholeNumber } from './columns.ts';
import type { SqlEngine } from './engine.ts';

/** Signs of life of the processes over this store. */
export class SqlReplicas implements ReplicaRepository {
  readonly #engine: SqlEngine;

  constructor(engine: SqlEngine) {
    this.#engine = engine;
  }

  async beat(id: string): Promise<readonly ReplicaBeat[]> {
    await this.#engine.writer
      .insertInto('replicas')
      .values({ id, beats: 1 })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ beats: sql`replicas.beats + 1` }))
      .execute();
    const rows = await this.#engine.reader.selectFrom('replicas').selectAll().execute();
    return rows.map((row) => ({ id: row.id as string, beats: wholeNumber(row.beats) }));
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#engine.writer
      .deleteFrom('replicas')
      .where('id', 'in', [...ids])
      .execute();
  }
}

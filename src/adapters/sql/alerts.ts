import type { AlertRepository } from '../../core/store.ts';
import type { SqlEngine } from './engine.ts';

/** Which alerts were told already, by any process. */
export class SqlAlerts implements AlertRepository {
  readonly #engine: SqlEngine;

  constructor(engine: SqlEngine) {
    this.#engine = engine;
  }

  async claim(id: string, now: number): Promise<boolean> {
    const inserted = await this.#engine.writer
      .insertInto('alerts')
      .values({ id, at: now })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .returning('id')
      .executeTakeFirst();
    return inserted !== undefined;
  }
}

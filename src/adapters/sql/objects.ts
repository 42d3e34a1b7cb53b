import type { KeptObject, ObjectStore } from '../../core/ports.ts';
import type { SqlRow } from './columns.ts';
import { wholeNumber } from './columns.ts';
import type { SqlEngine } from './engine.ts';

/** What is kept for callers between their requests, one row each. */
export class SqlObjects implements ObjectStore {
  readonly #engine: SqlEngine;

  constructor(engine: SqlEngine) {
    this.#engine = engine;
  }

  async put(objects: readonly KeptObject[]): Promise<void> {
    if (objects.length === 0) return;
    await this.#engine.writer
      .insertInto('kept_objects')
      .values(
        objects.map(({ id, kind, owner, parent, position, body, expiresAt }) => ({
          id,
          kind,
          owner,
          parent,
          position,
          body,
          expires_at: expiresAt,
        })),
      )
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((excluded) => ({
          body: excluded.ref('excluded.body'),
          expires_at: excluded.ref('excluded.expires_at'),
        })),
      )
      .execute();
  }

  async get(id: string): Promise<KeptObject | undefined> {
    const row = await this.#engine.reader
      .selectFrom('kept_objects')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    return row === undefined ? undefined : objectOf(row);
  }

  async children(parent: string): Promise<readonly KeptObject[]> {
    const rows = await this.#engine.reader
      .selectFrom('kept_objects')
      .selectAll()
      .where('parent', '=', parent)
      .orderBy('position')
      .orderBy('id')
      .execute();
    return rows.map(objectOf);
  }

  async remove(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const removed = await this.#engine.writer
      .deleteFrom('kept_objects')
      .where((build) => build.or([build('id', 'in', ids), build('parent', 'in', ids)]))
      .executeTakeFirst();
    return Number(removed.numDeletedRows);
  }

  async removeExpired(now: number): Promise<number> {
    const removed = await this.#engine.writer
      .deleteFrom('kept_objects')
      .where('expires_at', '<=', now)
      .executeTakeFirst();
    return Number(removed.numDeletedRows);
  }
}

function objectOf(row: SqlRow): KeptObject {
  return {
    id: row.id as string,
    kind: row.kind as string,
    owner: row.owner as string,
    parent: row.parent as string | null,
    position: wholeNumber(row.position),
    body: row.body as string,
    expiresAt: wholeNumber(row.expires_at),
  };
}

import { sql } from 'kysely';
import type { IdempotencyClaim, IdempotencyRecord, IdempotencyStore, KeptAnswer } from '../../core/ports.ts';
import type { SqlRow } from './columns.ts';
import { wholeNumber } from './columns.ts';
import type { SqlEngine } from './engine.ts';

/** Who has which idempotency key, and the answers kept for them. The insert decides between processes. */
export class SqlIdempotency implements IdempotencyStore {
  readonly #engine: SqlEngine;

  constructor(engine: SqlEngine) {
    this.#engine = engine;
  }

  async claim(claim: IdempotencyClaim): Promise<IdempotencyRecord> {
    const values = {
      key: claim.key,
      fingerprint: claim.fingerprint,
      request_id: claim.requestId,
      state: 'running',
      running_until: claim.runningUntil,
      expires_at: claim.expiresAt,
      status: null,
      content_type: null,
      body: null,
    };
    for (;;) {
      // One that has expired gives its place to the new one.
      const taken = await this.#engine.writer
        .insertInto('idempotency')
        .values(values)
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet(values).where(sql<boolean>`idempotency.expires_at <= ${claim.now}`),
        )
        .returningAll()
        .executeTakeFirst();
      const found =
        taken ??
        (await this.#engine.writer
          .selectFrom('idempotency')
          .selectAll()
          .where('key', '=', claim.key)
          .executeTakeFirst());
      // Given up in between: the next insert finds the place free.
      if (found !== undefined) return recordOf(found);
    }
  }

  async keep(key: string, requestId: string, answer: KeptAnswer | null): Promise<void> {
    const kept =
      answer === null
        ? { state: 'lost' }
        : {
            state: 'answered',
            status: answer.status,
            content_type: answer.contentType,
            body: Buffer.from(answer.body).toString('base64'),
          };
    await this.#engine.writer
      .updateTable('idempotency')
      .set(kept)
      .where('key', '=', key)
      .where('request_id', '=', requestId)
      .execute();
  }

  async release(key: string, requestId: string): Promise<void> {
    await this.#engine.writer
      .deleteFrom('idempotency')
      .where('key', '=', key)
      .where('request_id', '=', requestId)
      .execute();
  }

  async removeExpired(now: number): Promise<number> {
    const removed = await this.#engine.writer
      .deleteFrom('idempotency')
      .where('expires_at', '<=', now)
      .executeTakeFirst();
    return Number(removed.numDeletedRows);
  }
}

function recordOf(row: SqlRow): IdempotencyRecord {
  return {
    requestId: row.request_id as string,
    fingerprint: row.fingerprint as string,
    state: row.state as IdempotencyRecord['state'],
    runningUntil: wholeNumber(row.running_until),
    answer:
      row.body === null
        ? null
        : {
            status: wholeNumber(row.status),
            contentType: row.content_type as string,
            body: Buffer.from(row.body as string, 'base64'),
          },
  };
}

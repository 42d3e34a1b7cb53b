import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { PoolClient } from 'pg';
import { kyselyDialect, WholeConnection } from './kysely-dialect.ts';
import { LostConnectionError } from './postgres-error.ts';
import type { PostgresPool } from './postgres-pool.ts';

/** Kysely over our pool: its limits on waiting, and errors that tell the operator what to do. */
export function postgresDialect(pool: PostgresPool): Dialect {
  return kyselyDialect({
    driver: () => new PostgresPoolDriver(pool),
    compiler: PostgresQueryCompiler,
    adapter: PostgresAdapter,
    introspector: PostgresIntrospector,
  });
}

class PostgresPoolDriver implements Driver {
  readonly #pool: PostgresPool;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    return new PostgresConnection(this.#pool, await this.#pool.acquire());
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    (connection as PostgresConnection).release();
  }

  /** Named, because an operator may have changed the server's default: what locks rows here counts on seeing what
   * was committed while it waited for them. */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as PostgresConnection).run('begin isolation level read committed');
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as PostgresConnection).run('commit');
  }

  /** A connection on which this fails is thrown away, and with it the transaction. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as PostgresConnection).run('rollback').catch(() => {});
  }

  async destroy(): Promise<void> {
    await this.#pool.close();
  }
}

class PostgresConnection extends WholeConnection {
  readonly #pool: PostgresPool;
  readonly #client: PoolClient;
  #broken = false;

  constructor(pool: PostgresPool, client: PoolClient) {
    super();
    this.#pool = pool;
    this.#client = client;
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.run<Row>(query.sql, query.parameters);
  }

  async run<Row>(text: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    try {
      const result = await this.#pool.answer(this.#client.query(text, values.map(storable)));
      this.#pool.answered();
      return { rows: result.rows as Row[], numAffectedRows: BigInt(result.rowCount ?? 0) };
    } catch (cause) {
      const error = this.#pool.answered(cause);
      if (error instanceof LostConnectionError || text === 'rollback') this.#broken = true;
      throw error;
    }
  }

  release(): void {
    this.#client.release(this.#broken);
  }
}

/** PostgreSQL's text holds every character but U+0000. */
function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
}

import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { kyselyDialect, WholeConnection } from './kysely-dialect.ts';
import type { SqliteRunner } from './sqlite-protocol.ts';

/** Kysely over one SQLite connection, wherever it lives. Kysely itself lets one user at a time have it. */
export function sqliteDialect(runner: SqliteRunner): Dialect {
  return kyselyDialect({
    driver: () => new SqliteDriver(runner),
    compiler: SqliteQueryCompiler,
    adapter: SqliteAdapter,
    introspector: SqliteIntrospector,
  });
}

class SqliteDriver implements Driver {
  readonly #runner: SqliteRunner;
  readonly #connection: SqliteKyselyConnection;

  constructor(runner: SqliteRunner) {
    this.#runner = runner;
    this.#connection = new SqliteKyselyConnection(runner);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {}

  /** Takes the write lock at once: a transaction that first read and then wrote could not wait for another writer. */
  async beginTransaction(): Promise<void> {
    await this.#runner.run('begin immediate', []);
  }

  async commitTransaction(): Promise<void> {
    await this.#runner.run('commit', []);
  }

  async rollbackTransaction(): Promise<void> {
    await this.#runner.run('rollback', []);
  }

  async destroy(): Promise<void> {
    await this.#runner.close();
  }
}

class SqliteKyselyConnection extends WholeConnection {
  readonly #runner: SqliteRunner;

  constructor(runner: SqliteRunner) {
    super();
    this.#runner = runner;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const answer = await this.#runner.run(query.sql, query.parameters);
    return { rows: answer.rows as Row[], numAffectedRows: BigInt(answer.changes) };
  }
}

import type {
  CompiledQuery,
  DatabaseConnection,
  DatabaseIntrospector,
  Dialect,
  DialectAdapter,
  Driver,
  Kysely,
  QueryCompiler,
  QueryResult,
} from 'kysely';
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { SqliteRunner } from './sqlite-protocol.ts';

/** Kysely over one SQLite connection, wherever it lives. Kysely itself lets one user at a time have it. */
export class SqliteDialect implements Dialect {
  readonly #runner: SqliteRunner;

  constructor(runner: SqliteRunner) {
    this.#runner = runner;
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#runner);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter();
  }

  createIntrospector(database: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(database);
  }
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

class SqliteKyselyConnection implements DatabaseConnection {
  readonly #runner: SqliteRunner;

  constructor(runner: SqliteRunner) {
    this.#runner = runner;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const answer = await this.#runner.run(query.sql, query.parameters);
    return { rows: answer.rows as Row[], numAffectedRows: BigInt(answer.changes) };
  }

  /** Rows come in one piece; whoever reads much pages through it. */
  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }
}

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
import type { SqliteLink } from './sqlite-link.ts';

/** Kysely over a SQLite connection that lives in another thread. Kysely itself lets one user at a time have it. */
export class SqliteThreadDialect implements Dialect {
  readonly #link: SqliteLink;

  constructor(link: SqliteLink) {
    this.#link = link;
  }

  createDriver(): Driver {
    return new SqliteThreadDriver(this.#link);
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

class SqliteThreadDriver implements Driver {
  readonly #link: SqliteLink;
  readonly #connection: SqliteThreadConnection;

  constructor(link: SqliteLink) {
    this.#link = link;
    this.#connection = new SqliteThreadConnection(link);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {}

  /** Takes the write lock at once: a transaction that first read and then wrote could not wait for another writer. */
  async beginTransaction(): Promise<void> {
    await this.#link.ask('begin immediate', []);
  }

  async commitTransaction(): Promise<void> {
    await this.#link.ask('commit', []);
  }

  async rollbackTransaction(): Promise<void> {
    await this.#link.ask('rollback', []);
  }

  async destroy(): Promise<void> {
    await this.#link.close();
  }
}

class SqliteThreadConnection implements DatabaseConnection {
  readonly #link: SqliteLink;

  constructor(link: SqliteLink) {
    this.#link = link;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const answer = await this.#link.ask(query.sql, query.parameters);
    return { rows: answer.rows as Row[], numAffectedRows: BigInt(answer.changes) };
  }

  /** Rows come in one piece; whoever reads much pages through it. */
  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }
}

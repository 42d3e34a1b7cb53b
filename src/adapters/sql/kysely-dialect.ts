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

/** What Kysely is to say to a database of this kind; the way there is our own driver's. */
export interface DialectParts {
  readonly driver: () => Driver;
  readonly compiler: new () => QueryCompiler;
  readonly adapter: new () => DialectAdapter;
  readonly introspector: new (database: Kysely<unknown>) => DatabaseIntrospector;
}

export function kyselyDialect({ driver, compiler, adapter, introspector }: DialectParts): Dialect {
  return {
    createDriver: driver,
    createQueryCompiler: () => new compiler(),
    createAdapter: () => new adapter(),
    createIntrospector: (database) => new introspector(database as Kysely<unknown>),
  };
}

/** Rows come in one piece; whoever reads much pages through it. */
export abstract class WholeConnection implements DatabaseConnection {
  abstract executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>>;

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }
}

import type { BookBatch } from '../../core/books.ts';
import type { WrittenBatch } from '../../core/written-batch.ts';

/* What the gateway's thread and the thread that owns a SQLite connection say to each other. */

export interface SqliteOpening {
  /** Path, or `:memory:`. */
  readonly file: string;
  readonly readOnly: boolean;
  /** How long a statement waits for another program that is writing to the same file. */
  readonly busyTimeoutMs: number;
}

/** Runs one statement. */
export interface SqliteStatement {
  /** Counts up from 1; the answer with id 0 tells that the file was opened. */
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Runs one call of the books, with all its statements, beside the database. */
export interface SqliteBookCall {
  readonly id: number;
  readonly method: string;
  /** The arguments as one JSON list, for `apply` the written batch: cheaper to hand over than the objects themselves. */
  readonly given: string | WrittenBookBatch;
}

export type WrittenBookBatch = Pick<BookBatch, 'processId' | 'checkpoint'> & { readonly written: WrittenBatch };

export type SqliteQuestion = SqliteStatement | SqliteBookCall;

export interface SqliteResult {
  readonly rows: readonly unknown[];
  /** Rows written. */
  readonly changes: number;
}

export interface SqliteAnswer extends SqliteResult {
  readonly id: number;
}

export interface SqliteBookAnswer {
  readonly id: number;
  readonly result: unknown;
}

export interface SqliteFailure {
  readonly id: number;
  readonly failed: true;
  readonly message: string;
  /** SQLite's extended result code; null when the error did not come from SQLite. */
  readonly errcode: number | null;
}

/** Anything that runs statements on one connection, here or in another thread. */
export interface SqliteRunner {
  run(sql: string, parameters: readonly unknown[]): SqliteResult | Promise<SqliteResult>;
  close(): void | Promise<void>;
}

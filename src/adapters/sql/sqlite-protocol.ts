/* What the gateway's thread and the thread that owns a SQLite connection say to each other. */

export interface SqliteOpening {
  /** Path, or `:memory:`. */
  readonly file: string;
  readonly readOnly: boolean;
  /** How long a statement waits for another program that is writing to the same file. */
  readonly busyTimeoutMs: number;
}

export interface SqliteQuestion {
  /** Counts up from 1; the answer with id 0 tells that the file was opened. */
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export interface SqliteAnswer {
  readonly id: number;
  readonly rows: readonly unknown[];
  /** Rows written. */
  readonly changes: number;
}

export interface SqliteFailure {
  readonly id: number;
  readonly failed: true;
  readonly message: string;
  /** SQLite's extended result code; null when the error did not come from SQLite. */
  readonly errcode: number | null;
}

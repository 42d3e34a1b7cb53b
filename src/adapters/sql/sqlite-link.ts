import type { Worker } from 'node:worker_threads';
import { StoreError } from '../../core/store.ts';
import { smallThread } from '../small-thread.ts';
import { sqliteError } from './sqlite-error.ts';
import type {
  SqliteAnswer,
  SqliteBookAnswer,
  SqliteBookCall,
  SqliteFailure,
  SqliteOpening,
  SqliteRunner,
} from './sqlite-protocol.ts';

type Answer = SqliteAnswer | SqliteBookAnswer;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** One SQLite connection in a thread of its own. It keeps the program alive only while a question is open. */
export class SqliteLink implements SqliteRunner {
  readonly #file: string;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #ended: StoreError | null = null;
  #lastId = 0;
  #exited: Promise<void>;

  private constructor(opening: SqliteOpening) {
    this.#file = opening.file;
    // The extension is ours: `.ts` when run as written, `.js` when compiled.
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    this.#worker = smallThread(new URL(`./sqlite-worker${extension}`, import.meta.url), { workerData: opening });
    this.#worker.on('message', (answer: Answer | SqliteFailure) => this.#settle(answer));
    this.#worker.on('error', (cause) =>
      this.#end(new StoreError('unavailable', `The database thread failed: ${cause.message}. Restart the gateway.`)),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#end(new StoreError('closed', 'The store is closed.'));
        resolve();
      });
    });
  }

  /** Resolves when the file is open. Throws StoreError when it cannot be. */
  static async open(opening: SqliteOpening): Promise<SqliteLink> {
    const link = new SqliteLink(opening);
    try {
      await link.#await(0);
    } catch (error) {
      await link.close();
      throw error;
    }
    return link;
  }

  /** Throws ConflictError when a unique value is taken, StoreError for everything else that SQLite refuses. */
  run(sql: string, parameters: readonly unknown[]): Promise<SqliteAnswer> {
    return this.#ask({ sql, parameters }) as Promise<SqliteAnswer>;
  }

  /** Runs a call of the books in the other thread. */
  async call(method: string, given: SqliteBookCall['given']): Promise<unknown> {
    const { result } = (await this.#ask({ method, given })) as SqliteBookAnswer;
    return result;
  }

  async close(): Promise<void> {
    if (this.#ended === null) {
      this.#worker.ref();
      this.#worker.postMessage('close');
    }
    await this.#exited;
  }

  #ask(question: { sql: string; parameters: readonly unknown[] } | Omit<SqliteBookCall, 'id'>): Promise<Answer> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    this.#lastId += 1;
    const answer = this.#await(this.#lastId);
    this.#worker.postMessage({ id: this.#lastId, ...question });
    return answer;
  }

  #await(id: number): Promise<Answer> {
    if (this.#waiting.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #settle(answer: Answer | SqliteFailure): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('failed' in answer) waiting.reject(sqliteError(answer, this.#file));
    else waiting.resolve(answer);
  }

  #end(reason: StoreError): void {
    this.#ended ??= reason;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }
}

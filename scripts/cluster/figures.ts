import pg from 'pg';

export interface BudgetFigures {
  readonly scope: string;
  readonly id: string;
  /** Nano-dollars, as the other amounts. */
  readonly cap: number;
  readonly spent: number;
  readonly leased: number;
}

export interface BookFigures {
  /** By the id that a replica's leases stand under. */
  readonly leases: ReadonlyMap<string, number>;
  /** Accounts with a cap, the ones used most first. */
  readonly budgets: readonly BudgetFigures[];
}

/** Reads what the replicas share straight from the database, so that no replica can make it look better. */
export class BookReader {
  readonly #pool: pg.Pool;

  constructor(databaseUrl: string) {
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
    this.#pool.on('error', () => {});
  }

  async read(): Promise<BookFigures> {
    const leases = await this.#pool.query('select process_id, sum(amount)::float8 as amount from leases group by 1');
    const budgets = await this.#pool.query(
      `select scope, id, cap::float8 as cap, spent::float8 as spent, leased::float8 as leased
       from accounts where cap is not null order by spent + leased desc limit 5`,
    );
    return { leases: new Map(leases.rows.map((row) => [row.process_id, row.amount])), budgets: budgets.rows };
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

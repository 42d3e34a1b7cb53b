import type pg from 'pg';

/*
 * The database's own clock cannot be set by a test, so it gets another one: a function of the same name that is found first. New
 * connections find it from then on.
 */

type Query = <Result extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Result[]>;

export interface StoreTime {
  /** Unix milliseconds, as a gateway is told. */
  now(): number;
  /** Sets it to this moment; it goes on from there. */
  set(now: number): Promise<void>;
  /** The true time again. */
  restore(): Promise<void>;
}

export async function prepareStoreTime(query: Query, databaseUrl: string): Promise<StoreTime> {
  await query('create schema chaos');
  await query('create table chaos.clock (shift_ms bigint not null)');
  await query('insert into chaos.clock values (0)');
  await query(`
    create function chaos.clock_timestamp() returns timestamptz language sql volatile as
    $$ select pg_catalog.clock_timestamp() + (select shift_ms from chaos.clock) * interval '1 millisecond' $$`);
  const name = new URL(databaseUrl).pathname.slice(1);
  await query(`alter database ${name} set search_path = public, chaos, pg_catalog`);
  let shiftMs = 0;
  const shift = async (ms: number) => {
    shiftMs = Math.round(ms);
    await query('update chaos.clock set shift_ms = $1', [shiftMs]);
  };
  return {
    now: () => Date.now() + shiftMs,
    set: (now) => shift(now - Date.now()),
    restore: () => shift(0),
  };
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PostgresServer } from '../../scripts/servers/postgres.ts';
import { migratePostgres, openPostgresStore, pendingPostgresMigrations } from '../../src/adapters/sql/postgres.ts';
import type { SqlStore } from '../../src/adapters/sql/store.ts';
import { StoreError } from '../../src/core/store.ts';
import { type CuttingProxy, openCuttingProxy } from '../servers/cutting-proxy.ts';
import { freshDatabase, makeDatabase, redisAddress, startPostgres, type TestDatabase } from '../servers/index.ts';
import { account, entry, requestRecord } from './records.ts';

/* What a server does to the store that a file cannot: refuse, vanish, hang, come back, answer into the void. */

const refusalMs = 300;
/** The machine that runs the tests is busy with others. */
const slackMs = 200;

const opened: SqlStore[] = [];

async function open(url: string, options: Partial<Parameters<typeof openPostgresStore>[0]> = {}): Promise<SqlStore> {
  const store = await openPostgresStore({ url, ...options });
  opened.push(store);
  return store;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

async function refusal(work: () => Promise<unknown>): Promise<{ error: StoreError; afterMs: number }> {
  const startedAt = performance.now();
  const error = await work().then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(StoreError);
  return { error: error as StoreError, afterMs: performance.now() - startedAt };
}

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('opening', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  const changed = (parts: Partial<URL>): string => Object.assign(new URL(database.url), parts).href;

  it('says what is wrong with the way in, without the password', async () => {
    const cases: [url: string, message: RegExp][] = [
      [changed({ password: 'hunter2-wrong' }), /refuses the user or the password/],
      [changed({ username: 'nobody_here' }), /refuses the user or the password/],
      [changed({ pathname: '/no_such_database' }), /does not exist on this server.*CREATE DATABASE/],
      [changed({ port: '1' }), /:1\/.* refuses connections/],
      [changed({ hostname: 'no-such-host.invalid' }), /cannot be resolved/],
      [changed({ search: 'sslmode=require' }), /offers no TLS/],
    ];
    const { password } = new URL(database.url);
    for (const [url, message] of cases) {
      const { error } = await refusal(() => open(url));
      expect(error.fault).toBe('unavailable');
      expect(error.message).toMatch(message);
      expect(JSON.stringify([error.message, error.stack])).not.toContain(password);
      expect(error.message).not.toContain('hunter2');
    }
  });

  it('says what else is at the address', async () => {
    const { port: redisPort } = new URL((await redisAddress()).url);
    const web = createServer((_, response) => response.end('no'));
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const { port: webPort } = web.address() as AddressInfo;
    const cases: [url: string, message: RegExp][] = [
      [changed({ port: String(webPort) }), /is an HTTP server, no PostgreSQL/],
      [changed({ port: String(webPort), search: 'sslmode=require' }), /is an HTTP server, no PostgreSQL/],
      [changed({ port: redisPort, search: 'connect_timeout=1' }), /is a Redis server, no PostgreSQL/],
    ];
    for (const [url, message] of cases) expect((await refusal(() => open(url))).error.message).toMatch(message);
    web.close();
  });

  it('migrates once when many start at the same time', async () => {
    const steps = await Promise.all(Array.from({ length: 8 }, () => migratePostgres({ url: database.url })));
    expect(steps.filter((done) => done.length > 0)).toHaveLength(1);
    expect(await pendingPostgresMigrations({ url: database.url })).toEqual([]);
  });

  it('refuses tables that were restored in part, and names what a migration ran into', async () => {
    const part = await freshDatabase();
    await migratePostgres({ url: part.url });
    await query(part.url, 'drop table projects, feedback');
    for (const open of [migratePostgres, pendingPostgresMigrations])
      expect((await refusal(() => open({ url: part.url }))).error).toMatchObject({
        fault: 'corrupt',
        message: expect.stringMatching(/lacks projects, feedback\..*restore a whole backup/),
      });
    await part.drop();
    const foreign = await freshDatabase();
    await query(foreign.url, 'create table projects (id text)');
    const { error } = await refusal(() => migratePostgres({ url: foreign.url }));
    expect(error.message).toMatch(/"projects" already exists.*in migration 5 \(projects.*nothing has been changed/);
    expect(await query(foreign.url, `select to_regclass('schema_migrations') as made`)).toEqual([{ made: null }]);
    await foreign.drop();
  });

  it('shows what is pending without writing anything', async () => {
    const empty = await freshDatabase();
    try {
      const pending = await pendingPostgresMigrations({ url: empty.url });
      expect(pending[0]).toEqual({ version: 1, title: 'first tables' });
      const [tables] = await query<{ count: string }>(
        empty.url,
        "select count(*) from pg_tables where schemaname = 'public'",
      );
      expect(tables?.count).toBe('0');
    } finally {
      await empty.drop();
    }
  });

  it('refuses a newer schema', async () => {
    await migratePostgres({ url: database.url });
    await query(database.url, 'insert into schema_migrations values (999, 0)');
    const { error } = await refusal(() => open(database.url));
    expect(error.fault).toBe('newer_schema');
    expect(error.message).toMatch(/schema 999/);
    await query(database.url, 'delete from schema_migrations where version = 999');
  });

  it('refuses a user who may not create tables', async () => {
    await query(database.url, "create role reader login password 'reader'");
    try {
      const empty = await freshDatabase();
      const url = new URL(empty.url);
      [url.username, url.password] = ['reader', 'reader'];
      const { error } = await refusal(() => open(url.href));
      expect(error.fault).toBe('not_writable');
      expect(error.message).toMatch(/grant it CREATE/);
      await empty.drop();
    } finally {
      await query(database.url, 'drop role reader');
    }
  });

  it('keeps its tables in the schema that the address names', async () => {
    const one = await open(changed({ search: `schema=${encodeURIComponent('tenant "a"')}` }));
    const other = await open(changed({ search: 'schema=b' }));
    await one.settings.insert({ ...setting, id: 'only-here' });
    expect(await one.settings.count()).toBe(1);
    expect(await other.settings.count()).toBe(0);
  });
});

const setting = { value: {}, createdAt: 1, updatedAt: 1, createdBy: null, updatedBy: null, extra: {} };

describe('months', () => {
  let database: TestDatabase;
  let store: SqlStore;

  beforeAll(async () => {
    database = await freshDatabase();
    store = await openPostgresStore({ url: database.url });
  });
  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  const partitions = async () =>
    (
      await query<{ name: string }>(
        database.url,
        "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'usage'::regclass order by 1",
      )
    ).map(({ name }) => name);
  const record = (id: string, startedAt: number) => ({
    record: requestRecord(id, { startedAt, endedAt: startedAt + 1_000, tags: ['t'], cost: 5 }),
    accounts: [],
  });
  const march = Date.UTC(2024, 2, 31, 23, 59, 59, 999);
  const april = march + 1;

  it('makes the months that requests need, in UTC, and counts an id once over all of them', async () => {
    const before = await partitions();
    expect(before).toHaveLength(2);
    await store.books.apply({ processId: 'p', entries: [record('a', march), record('b', april)] });
    expect(await partitions()).toEqual(
      expect.arrayContaining(['usage_2024_03', 'usage_2024_04', 'usage_2024_05', ...before]),
    );
    const counted = await query<{ name: string; count: string }>(
      database.url,
      'select tableoid::regclass::text as name, count(*) from usage group by 1 order by 1',
    );
    expect(counted).toEqual([
      { name: 'usage_2024_03', count: '1' },
      { name: 'usage_2024_04', count: '1' },
    ]);
    const again = await store.books.apply({ processId: 'q', entries: [record('a', april), record('c', april)] });
    expect(again.duplicates).toEqual(['a']);
    expect((await store.usage.get('a'))?.startedAt).toBe(march);
    expect(await store.usage.get('nothing')).toBeUndefined();
    expect(await store.usage.count({ tag: 't' })).toBe(3);
  });

  it('drops whole months for age, forgets their ids, and takes late requests in again', async () => {
    expect(await store.usage.removeBefore(april)).toBe(0); // 'a' ended in April.
    expect(await store.usage.removeBefore(april + 10_000)).toBe(3);
    expect(await store.usage.removeBefore(Date.UTC(2024, 6, 1))).toBe(0);
    expect((await partitions()).filter((name) => name.startsWith('usage_2024'))).toEqual([]);
    const [ids] = await query<{ count: string }>(database.url, 'select count(*) from usage_ids');
    expect(ids?.count).toBe('0');
    const late = await store.books.apply({ processId: 'p', entries: [record('d', march)] });
    expect(late.duplicates).toEqual([]);
    expect(await store.usage.count({})).toBe(1);
  });

  it('takes requests in when another process dropped their month', async () => {
    await query(database.url, 'drop table usage_2024_03, usage_tags_2024_03');
    const late = await store.books.apply({ processId: 'p', entries: [record('e', march)] });
    expect(late.duplicates).toEqual([]);
  });

  it('makes a month once when many need it first', async () => {
    const start = Date.UTC(2023, 0, 1);
    const stores = await Promise.all([1, 2, 3].map(() => open(database.url)));
    await Promise.all(
      stores.flatMap((one, at) =>
        [0, 1, 2, 3].map((turn) =>
          one.books.apply({ processId: `p${at}`, entries: [record(`m${at}.${turn}`, start + turn)] }),
        ),
      ),
    );
    expect(await store.usage.count({ from: start, to: start + 4 })).toBe(12);
  });
});

describe('64 writers', () => {
  it('keep the books exact, in whatever order they name their accounts', async () => {
    const database = await freshDatabase();
    try {
      const stores = await Promise.all(
        Array.from({ length: 4 }, () => open(database.url, { poolMax: 20, statementTimeoutMs: 25_000 })),
      );
      const accounts = ['a', 'b', 'c', 'd'].map((id) => account('team', id, { cap: 10_000 }));
      const writer = async (number: number) => {
        const { books } = stores[number % stores.length]!;
        const processId = `p${number}`;
        const order = number % 2 === 0 ? accounts : [...accounts].reverse();
        for (let turn = 0; turn < 3; turn += 1) {
          const wants = order.map((spec) => ({ ...spec, cap: 10_000, need: 10, want: 10, headroomDivisor: 1 }));
          const token = `t${turn}`;
          const answer = await books.acquireLease({ processId, token, wants, now: 1_000, expiresAt: 9_000 });
          expect(answer.refused).toBeNull();
          const record = requestRecord(`r${number}.${turn}`, { cost: 7, tags: [`tag${number % 3}`], keyId: 'k' });
          const entries = [{ record, accounts: order.map((spec) => entry(spec, 7, 7)) }];
          await books.apply({ processId, entries });
          if (turn === 1) await books.renewLeases(processId, 9_500, 2_000);
          if (number % 8 === 0) await books.expireLeases(2_000);
        }
        await books.releaseProcess(processId);
      };
      await Promise.all(Array.from({ length: 64 }, (_, number) => writer(number)));
      const [{ books, usage }] = stores as [SqlStore];
      const balances = await books.balances(accounts);
      expect(balances.map(({ spent, leased }) => ({ spent, leased }))).toEqual(
        accounts.map(() => ({ spent: 64 * 3 * 7, leased: 0 })),
      );
      expect(await usage.summarize({ keyId: 'k' }, [])).toMatchObject([{ requests: 192, cost: 192 * 7 }]);
      await Promise.all(opened.splice(0).map((store) => store.close()));
    } finally {
      await database.drop();
    }
  });
});

describe('a server that fails', () => {
  let server: PostgresServer;
  let database: TestDatabase;
  let proxy: CuttingProxy;
  let url: string;

  beforeAll(async () => {
    server = await startPostgres();
    database = await makeDatabase(server.url);
    proxy = await openCuttingProxy(server.port);
    const through = new URL(database.url);
    through.port = String(proxy.port);
    url = through.href;
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
  });

  const team = account('team', 't', { cap: 1_000_000 });
  const lease = (token: string, need = 1) => ({
    processId: 'p',
    token,
    wants: [{ ...team, cap: 1_000_000, need, want: need, headroomDivisor: 1 }],
    now: 1_000,
    expiresAt: 2_000,
  });

  it('counts a call once whose answer was lost after the commit', async () => {
    const store = await open(url);
    // Makes the month, which is a transaction of its own.
    await store.books.apply({ processId: 'p', entries: [{ record: requestRecord('first'), accounts: [] }] });
    const repeated = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      // The whole statement: others speak of what is committed.
      proxy.cutAfter('commit\0', 1);
      const { error } = await refusal(work);
      expect(error.fault).toBe('unavailable');
      expect(proxy.pending).toBe(0);
      return work();
    };
    const granted = await repeated(() => store.books.acquireLease(lease('lost-1', 100)));
    expect(granted.granted?.[0]).toMatchObject({ granted: 100, held: 100, leased: 100 });
    const entries = [{ record: requestRecord('lost', { cost: 30 }), accounts: [entry(team, 30, 30)] }];
    expect((await repeated(() => store.books.apply({ processId: 'p', entries }))).duplicates).toEqual(['lost']);
    expect(await repeated(() => store.books.returnLease('p', 'lost-2', [{ ...team, amount: 20 }], 1_000))).toEqual([
      20,
    ]);
    expect((await store.books.balances([team]))[0]).toMatchObject({ spent: 30, leased: 50 });
    await store.books.releaseProcess('p');
  });

  it('gives one answer to a call that is repeated while it is under way', async () => {
    const store = await open(url);
    const answers = await Promise.all(Array.from({ length: 5 }, () => store.books.acquireLease(lease('same', 10))));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect((await store.books.leases('p'))[0]?.amount).toBe(10);
    await store.books.releaseProcess('p');
  });

  it('loses nothing over a kill and a restart in the middle, and needs no restart itself', async () => {
    const store = await open(url);
    const acknowledged = new Set<string>();
    let running = true;
    const writer = async (number: number) => {
      for (let turn = 0; running; turn += 1) {
        const id = `w${number}.${turn}`;
        const entries = [{ record: requestRecord(id, { cost: 1 }), accounts: [entry(team, 1)] }];
        for (;;) {
          try {
            await store.books.apply({ processId: `p${number}`, entries });
            acknowledged.add(id);
            break;
          } catch (error) {
            expect(error).toBeInstanceOf(StoreError);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      }
    };
    const before = (await store.books.balances([team]))[0]!.spent;
    const writers = Promise.all([0, 1, 2, 3].map(writer));
    await new Promise((resolve) => setTimeout(resolve, 150));
    await server.kill();
    const { error, afterMs } = await refusal(() => store.books.balances([team]));
    expect(error.fault).toBe('unavailable');
    expect(afterMs).toBeLessThan(refusalMs + slackMs);
    await server.start();
    const back = performance.now();
    const count = acknowledged.size;
    while (acknowledged.size < count + 8) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(performance.now() - back).toBeLessThan(5_000);
    running = false;
    await writers;
    const spent = (await store.books.balances([team]))[0]!.spent - before;
    expect(spent).toBe(acknowledged.size);
    const [rows] = await query<{ count: string }>(database.url, "select count(*) from usage where id like 'w%'");
    expect(Number(rows?.count)).toBe(acknowledged.size);
  });

  it('refuses within its time when the server is gone, and while connections hang', async () => {
    const store = await open(url, { connectTimeoutMs: 1_000 });
    await server.stop();
    for (let turn = 0; turn < 5; turn += 1) {
      const { error, afterMs } = await refusal(() => store.settings.count());
      expect(error.fault).toBe('unavailable');
      expect(afterMs).toBeLessThan(refusalMs + slackMs);
    }
    await server.start();
    await eventually(() => store.ping());
    const cold = await open(url, { connectTimeoutMs: 1_000 });
    proxy.freeze();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const { error, afterMs } = await refusal(() => cold.settings.count());
    expect(error.message).toMatch(/does not answer/);
    expect(afterMs).toBeLessThan(refusalMs + slackMs);
    proxy.thaw();
    await eventually(() => cold.ping());
  });

  it('gives up on a statement that the server does not finish', async () => {
    const store = await open(url, { statementTimeoutMs: 200 });
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await store.settings.insert({ ...setting, id: 'held' });
    await holder.query("begin; select * from settings where id = 'held' for update");
    const { error } = await refusal(() => store.settings.update('held', { updatedAt: 2 }));
    expect(error.message).toMatch(/took too long/);
    await holder.end();
    await store.settings.update('held', { updatedAt: 3 });
  });

  it('says that a standby cannot be written to', async () => {
    const store = await open(url);
    const name = new URL(database.url).pathname.slice(1);
    await query(server.url, `alter database ${name} set default_transaction_read_only = on`);
    await query(server.url, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
    let fault = '';
    await eventually(async () => {
      fault = (await refusal(() => store.settings.remove(['x']))).error.fault;
      expect(fault).toBe('not_writable');
    });
    await query(server.url, `alter database ${name} reset default_transaction_read_only`);
  });

  it('ends in time although the server says nothing any more', async () => {
    const store = await openPostgresStore({ url });
    await store.ping();
    server.pause();
    try {
      const startedAt = performance.now();
      await store.close();
      expect(performance.now() - startedAt).toBeLessThan(6_000);
    } finally {
      server.resume();
    }
  });
});

async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  const endsAt = performance.now() + 5_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > endsAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

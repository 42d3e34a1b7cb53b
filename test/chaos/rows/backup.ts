import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { makeDatabase, type PostgresServer, startPostgres } from '../../../scripts/servers/postgres.ts';
import { type GatewayProcess, startGateway } from '../../journeys/support/gateway-process.ts';
import { auditBooks } from '../audit.ts';
import { exactConfig } from '../exact-config.ts';
import { price } from '../price.ts';
import type { Rig } from '../rig.ts';
import { type Outcome, pause, type Row, type Size, seeded, until } from '../row.ts';

const clients = 6;
const manyRows = 1_000_000;
const restoreMsMax = 60_000;
const program = resolve(import.meta.dirname, '../../../src/cli.ts');

interface Tally {
  readonly broken: string[];
  readonly figures: Record<string, string | number>;
}

/** Promise 47: backups made under load, restored, and every row of them read. */
export const backupRow: Row = {
  row: 47,
  promise: 'Backup restores to balanced books',
  target: 'audit differences 0 at every instant; 1 M rows restored within 60 s',
  async run(rig, size) {
    const tally: Tally = { broken: [], figures: {} };
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-backup-'));
    try {
      await fromPostgres(rig, size, folder, tally);
      await fromSqlite(rig, size, folder, tally);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return tally satisfies Outcome;
  },
};

/** A base backup under load and the archived WAL, recovered to instants that nobody chose. */
async function fromPostgres(rig: Rig, size: Size, folder: string, { broken, figures }: Tally): Promise<void> {
  const instants = size === 'short' ? 1 : 10;
  const random = seeded(47);
  const archiveCommand = 'mkdir -p ../archive && test ! -f ../archive/%f && cp %p ../archive/%f';
  const source = await startPostgres({
    settings: { wal_level: 'replica', archive_mode: 'on', archive_command: archiveCommand, full_page_writes: 'on' },
  });
  const restored: PostgresServer[] = [];
  const pools: pg.Pool[] = [];
  const over = (url: string) => {
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    pool.on('error', () => {});
    pools.push(pool);
    return async <Result extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await pool.query<Result>(text, values)).rows;
  };
  let gateway: GatewayProcess | null = null;
  let isOver = false;
  try {
    const database = await makeDatabase(source.url);
    const query = over(database.url);
    const own = join(folder, 'postgres');
    mkdirSync(own);
    gateway = await startGateway({
      folder: own,
      config: exactConfig(rig.upstream.url),
      env: { DATABASE_URL: database.url },
    });
    const load = buyers(gateway, await makeKey(gateway), () => isOver);
    await until(async () => (await query('select 1 from usage limit 1')).length > 0, 20_000);
    if (size === 'full') await fill(query);
    const [{ data_directory: data }] = (await query<{ data_directory: string }>('show data_directory')) as [
      { data_directory: string },
    ];
    const base = join(folder, 'base');
    await baseBackup(database.url, data, base);
    const times: string[] = [];
    for (let number = 0; number < instants; number++) {
      await pause(200 + random() * 600);
      times.push((await query<{ now: string }>('select clock_timestamp()::text as now'))[0]!.now);
    }
    await pause(200);
    isOver = true;
    const requests = await load;
    await gateway.stop();
    gateway = null;
    const [{ segment }] = (await query<{ segment: string }>('select pg_walfile_name(pg_switch_wal()) as segment')) as [
      { segment: string },
    ];
    const isArchived = await until(async () => {
      const [row] = await query<{ isThere: boolean }>(
        `select coalesce(last_archived_wal >= $1, false) as "isThere" from pg_stat_archiver`,
        [segment],
      );
      return row!.isThere;
    }, 20_000);
    if (!isArchived) broken.push('the WAL was not archived');
    const archive = join(dirname(data), 'archive');
    const { pathname } = new URL(database.url);
    let differences = 0;
    let rows = 0;
    let slowestMs = 0;
    for (const [number, instant] of times.entries()) {
      const startedAt = performance.now();
      const server = await startPostgres({
        backup: { folder: base, url: source.url },
        settings: {
          full_page_writes: 'on',
          restore_command: `cp ${archive}/%f %p`,
          recovery_target_time: instant,
          recovery_target_action: 'promote',
        },
      });
      restored.push(server);
      const url = new URL(server.url);
      url.pathname = pathname;
      const ask = over(url.href);
      const isUp = await until(
        async () => !(await ask<{ is: boolean }>('select pg_is_in_recovery() as is'))[0]!.is,
        60_000,
      );
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      if (!isUp) broken.push(`the recovery to ${instant} did not end`);
      const books = size === 'short' ? await auditBooks(ask) : { rows: 0, differences: [] };
      const check = await tollgate(['store', 'check', '--of', 'os.environ/DATABASE_URL', '--json'], url.href);
      const found = [...books.differences, ...check.differences];
      differences += found.length;
      rows = Math.max(rows, check.requests);
      broken.push(...found.slice(0, 3).map((text) => `PostgreSQL at ${instant}: ${text}`));
      if (number === 0 && size === 'full') {
        broken.push(...(await goesOn(rig, join(folder, 'again'), { DATABASE_URL: url.href })));
        const after = await tollgate(['store', 'check', '--of', 'os.environ/DATABASE_URL', '--json'], url.href);
        broken.push(...after.differences.map((text) => `after going on: ${text}`));
      }
      await pools.pop()!.end();
      await server.close();
    }
    if (requests === 0 || rows === 0) broken.push(`PostgreSQL: ${requests} requests, ${rows} restored`);
    if (slowestMs > restoreMsMax) broken.push(`a restore took ${Math.round(slowestMs)} ms`);
    Object.assign(figures, {
      'PostgreSQL: instants restored to': instants,
      'PostgreSQL: rows restored': rows,
      'PostgreSQL: differences': differences,
      'PostgreSQL: slowest restore (ms)': Math.round(slowestMs),
    });
  } finally {
    isOver = true;
    await gateway?.kill();
    for (const pool of pools) await pool.end().catch(() => {});
    for (const server of restored) await server.close();
    await source.close();
  }
}

/** What `pg_basebackup` does, for servers that come without it. */
async function baseBackup(url: string, data: string, to: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`select pg_backup_start('chaos', true)`);
    const isLeftOut = (path: string) => /\/(pg_wal\/.+|postmaster\.(pid|opts)|pg_replslot\/.+)$/.test(path);
    cpSync(data, to, { recursive: true, filter: (path) => !isLeftOut(path.slice(data.length)) });
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(true)');
    writeFileSync(join(to, 'backup_label'), rows[0]!.labelfile);
  } finally {
    await client.end();
  }
}

/** `tollgate store backup` at instants that nobody chose. */
async function fromSqlite(rig: Rig, size: Size, folder: string, { broken, figures }: Tally): Promise<void> {
  const backups = size === 'short' ? 2 : 50;
  const random = seeded(48);
  const own = join(folder, 'sqlite');
  mkdirSync(own);
  const gateway = await startGateway({ folder: own, config: exactConfig(rig.upstream.url) });
  let isOver = false;
  let differences = 0;
  let rows = 0;
  let last = '';
  try {
    const load = buyers(gateway, await makeKey(gateway), () => isOver);
    for (let number = 0; number < backups; number++) {
      await pause(50 + random() * 250);
      last = join(folder, `backup-${number}.db`);
      const report = await tollgate(['store', 'backup', '--data-folder', join(own, 'data'), '--to', last, '--json']);
      differences += report.differences.length;
      rows = Math.max(rows, report.requests);
      broken.push(...report.differences.slice(0, 3).map((text) => `SQLite, backup ${number}: ${text}`));
    }
    isOver = true;
    await load;
  } finally {
    isOver = true;
    await gateway.kill();
  }
  if (rows === 0) broken.push('SQLite: nothing was in the backups');
  if (size === 'full') fillFile(last);
  const again = join(folder, 'restored');
  mkdirSync(join(again, 'data'), { recursive: true });
  const startedAt = performance.now();
  cpSync(last, join(again, 'data', 'tollgate.db'));
  const check = await tollgate(['store', 'check', '--of', join(again, 'data', 'tollgate.db'), '--json']);
  const restoreMs = performance.now() - startedAt;
  if (restoreMs > restoreMsMax) broken.push(`the restore took ${Math.round(restoreMs)} ms`);
  broken.push(...check.differences, ...(await goesOn(rig, again, {})));
  Object.assign(figures, {
    'SQLite: backups under load': backups,
    'SQLite: rows in the last one': check.requests,
    'SQLite: differences': differences,
    'SQLite: restore and check (ms)': Math.round(restoreMs),
  });
}

/** A gateway over what was restored answers, and its books stay right. */
async function goesOn(rig: Rig, folder: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const gateway = await startGateway({ folder, config: exactConfig(rig.upstream.url), env });
  try {
    const key = await makeKey(gateway);
    const answer = await gateway.post('/v1/chat/completions', bodyOf(3), key);
    const text = await answer.text();
    return answer.status === 200 ? [] : [`a gateway over the restored database answered ${answer.status}: ${text}`];
  } finally {
    await gateway.stop();
  }
}

async function makeKey(gateway: GatewayProcess): Promise<string> {
  const made = await gateway.post('/key/generate', { max_budget: 1_000 });
  return ((await made.json()) as { key: string }).key;
}

const bodyOf = (maxTokens: number) => ({
  model: price.exactModel,
  max_tokens: maxTokens,
  messages: [{ role: 'user', content: 'Go on.' }],
});

/** Resolves to how many requests were answered. */
async function buyers(gateway: GatewayProcess, key: string, isOver: () => boolean): Promise<number> {
  let requests = 0;
  const buy = async (client: number) => {
    for (let turn = 0; !isOver(); turn++) {
      const answer = await gateway
        .post('/v1/chat/completions', bodyOf(1 + ((client * 7 + turn) % 40)), key)
        .catch(() => null);
      await answer?.text().catch(() => '');
      if (answer?.status === 200) requests += 1;
      // Something of the machine is left for the backup.
      await pause(20);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => buy(client)));
  return requests;
}

interface Report {
  readonly requests: number;
  readonly differences: readonly string[];
}

async function tollgate(words: readonly string[], databaseUrl = ''): Promise<Report> {
  const child = spawn(process.execPath, [program, ...words], {
    env: { PATH: process.env.PATH ?? '', ...(databaseUrl === '' ? {} : { DATABASE_URL: databaseUrl }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await new Promise((done) => child.once('close', done));
  try {
    return JSON.parse(printed) as Report;
  } catch {
    return { requests: 0, differences: [`\`tollgate ${words.join(' ')}\` failed: ${log}`] };
  }
}

/** Adds a million copies of a request, at no cost, and counts them into the sum of its hour. */
function manyCopies(columns: readonly string[], numbers: string): readonly string[] {
  const values = columns.map((name) => (name === 'id' ? `'many-' || n` : name === 'cost' ? '0' : `one.${name}`));
  return [
    `insert into usage (${columns.join(', ')})
     select ${values.join(', ')} from (select * from usage order by started_at limit 1) as one, ${numbers}`,
    `update usage_hours set requests = requests + ${manyRows}
     where start = (select min(started_at) from usage) - (select min(started_at) from usage) % 3600000
       and series = (select min(series) from usage_hours where start =
         (select min(started_at) from usage) - (select min(started_at) from usage) % 3600000)`,
  ];
}

async function fill(query: Rig['query']): Promise<void> {
  const columns = await query<{ name: string }>(
    `select column_name as name from information_schema.columns where table_name = 'usage' and table_schema = 'public'`,
  );
  const names = columns.map(({ name }) => name);
  for (const statement of manyCopies(names, `generate_series(1, ${manyRows}) as n`)) await query(statement);
}

function fillFile(file: string): void {
  const database = new DatabaseSync(file);
  const columns = database.prepare('pragma table_info(usage)').all() as { name: string }[];
  const numbers = `(with recursive counted(n) as (select 1 union all select n + 1 from counted where n < ${manyRows})
    select n from counted)`;
  const names = columns.map(({ name }) => name);
  for (const statement of manyCopies(names, numbers)) database.exec(statement);
  database.close();
}

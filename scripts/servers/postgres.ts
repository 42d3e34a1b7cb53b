import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { findPostgres } from './find-postgres.ts';
import { serverFolder, unprivilegedAccount } from './folder.ts';
import { type OwnServer, startOwn } from './server.ts';

export interface PostgresServerOptions {
  /** Writes reach the disk before they are acknowledged; false when left out, since most tests only need the speed. */
  readonly durable?: boolean;
  /** Further settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Begins with a copy of this base backup, and recovers as the settings say, in place of a new, empty cluster. */
  readonly backup?: { readonly folder: string; readonly url: string };
}

/** Its address is of a user who may do everything. */
export type PostgresServer = OwnServer;

const startLimitMs = 30_000;

/** Starts a server on a free port in a temporary folder. It is gone when this program is, however that ends. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const account = unprivilegedAccount();
  const folder = serverFolder('postgres', account);
  return startOwn(folder, startLimitMs, (port) => {
    const { bin, environment } = programsIn(folder, account);
    const data = join(folder, 'data');
    const password = filled(folder, data, bin, environment, account, options.backup);
    const url = `postgresql://tester:${password}@127.0.0.1:${port}/postgres`;
    const settings = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      shared_buffers: '64MB',
      logging_collector: 'off',
      log_min_messages: 'fatal',
      ...(options.durable === true ? {} : { fsync: 'off', full_page_writes: 'off' }),
      ...options.settings,
    };
    return {
      words: {
        program: join(bin, 'postgres'),
        words: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        environment,
        ...(account === undefined ? {} : { user: account }),
      },
      url,
      answers: () => answers(url),
    };
  });
}

type Account = ReturnType<typeof unprivilegedAccount>;
type Environment = Readonly<Record<string, string>>;

/** Where its programs are; an unprivileged account gets a copy of what it could not reach. */
function programsIn(folder: string, account: Account): { readonly bin: string; readonly environment: Environment } {
  const { folder: bin, environment, tree } = findPostgres();
  if (tree === null || account === undefined) return { bin, environment };
  const copy = join(folder, 'programs');
  cpSync(tree, copy, { recursive: true, verbatimSymlinks: true });
  give(copy, account);
  const moved = (text: string) => text.replaceAll(tree, copy);
  return {
    bin: moved(bin),
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, moved(value)])),
  };
}

/** Makes the cluster, new or from a backup; its password. */
function filled(
  folder: string,
  data: string,
  bin: string,
  environment: Environment,
  account: Account,
  backup: PostgresServerOptions['backup'],
): string {
  if (backup === undefined) {
    const password = randomBytes(12).toString('hex');
    initialise(join(bin, 'initdb'), folder, data, password, { environment, owner: account ?? {} });
    return password;
  }
  cpSync(backup.folder, data, { recursive: true });
  writeFileSync(join(data, 'recovery.signal'), '');
  chmodSync(data, 0o700);
  if (account !== undefined) give(data, account);
  return new URL(backup.url).password;
}

function give(folder: string, { uid, gid }: NonNullable<Account>): void {
  spawnSync('chown', ['-R', `${uid}:${gid}`, folder]);
}

function initialise(
  program: string,
  folder: string,
  data: string,
  password: string,
  { environment, owner }: { environment: Readonly<Record<string, string>>; owner: { uid?: number; gid?: number } },
): void {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  const words = ['-D', data, '-U', 'tester', '--pwfile', passwordFile, '--auth=scram-sha-256', '--encoding=UTF8'];
  const made = spawnSync(program, [...words, '--no-locale', '--no-sync', '--no-instructions'], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, ...environment },
    ...owner,
  });
  if (made.status !== 0) {
    throw new Error(`initdb failed: ${made.stdout ?? ''}${made.stderr ?? ''}${made.error?.message ?? ''}`);
  }
}

async function answers(url: string): Promise<void> {
  await withClient(url, (client) => client.query('select 1'));
}

async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

export interface TestDatabase {
  readonly url: string;
  /** Also when somebody is still connected. */
  drop(): Promise<void>;
}

/** A new, empty database on a server; `url` belongs to a user who may make one. */
export async function makeDatabase(url: string): Promise<TestDatabase> {
  const name = `tollgate_${randomBytes(6).toString('hex')}`;
  await withClient(url, (client) => client.query(`create database ${name} template template0`));
  const own = new URL(url);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    drop: () => withClient(url, async (client) => void (await client.query(`drop database ${name} with (force)`))),
  };
}

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Secret } from '../../core/secret.ts';
import { StoreError } from '../../core/store.ts';
import type { SqlEngine } from './engine.ts';
import type { MigrationStep } from './migrations.ts';
import { parsePostgresAddress } from './postgres-address.ts';
import { migrateSqlite, openSqliteEngine, openSqliteStore, pendingSqliteMigrations, readSqlite } from './sqlite.ts';
import { damageIn } from './sqlite-backup.ts';
import type { SqlStore } from './store.ts';
import type { CheckReport } from './store-check.ts';
import { checkBooks } from './store-check.ts';
import type { CopyOptions, CopyReport } from './store-copy.ts';
import { copyStore } from './store-copy.ts';

export interface StoreSettings {
  /** Address of a PostgreSQL database; null = the embedded one. */
  readonly databaseUrl: Secret | null;
  /** Where the embedded database stands, as `tollgate.db`. */
  readonly dataFolder: string;
  /** Connections to PostgreSQL in all; null = the address or the default says. */
  readonly connectionsMax?: number | null;
  /** Longest wait for a connection; null = the address or the default says. */
  readonly connectTimeoutMs?: number | null;
}

/** The driver is loaded only where it is used: the embedded store should not pay for it. */
const postgres = () => import('./postgres.ts');

/** The embedded database in a data folder. */
export function embeddedDatabase(dataFolder: string): string {
  return join(dataFolder, 'tollgate.db');
}

/** Opens the store that the settings ask for, with its tables at the newest version. Throws StoreError. */
export async function openStore(settings: StoreSettings): Promise<SqlStore> {
  const { databaseUrl, dataFolder, connectionsMax = null, connectTimeoutMs = null } = settings;
  if (databaseUrl === null) return openSqliteStore({ file: embeddedDatabase(dataFolder) });
  const { openPostgresStore } = await postgres();
  return openPostgresStore({
    url: databaseUrl.reveal(),
    ...(connectionsMax === null ? {} : { poolMax: connectionsMax }),
    ...(connectTimeoutMs === null ? {} : { connectTimeoutMs }),
  });
}

/** Brings the tables to the newest version, or only tells what that would take. Throws StoreError. */
export async function migrateStore(
  { databaseUrl, dataFolder }: StoreSettings,
  dryRun: boolean,
): Promise<MigrationStep[]> {
  if (databaseUrl !== null) {
    const { migratePostgres, pendingPostgresMigrations } = await postgres();
    const options = { url: databaseUrl.reveal() };
    return dryRun ? pendingPostgresMigrations(options) : migratePostgres(options);
  }
  const options = { file: embeddedDatabase(dataFolder) };
  return dryRun ? pendingSqliteMigrations(options) : migrateSqlite(options);
}

/** A database for people, without password: `db.example:5432/gateway`, or the path of a file. */
export function storePlace({ databaseUrl, dataFolder }: StoreSettings): string {
  return databaseUrl === null ? embeddedDatabase(dataFolder) : parsePostgresAddress(databaseUrl.reveal()).label;
}

/** Reading or writing a whole table at once may take long. */
const copyStatementTimeoutMs = 3_600_000;

/** `from` and `to` are addresses of PostgreSQL databases, or files of embedded ones. Throws StoreError. */
export async function copyBetween(from: Secret, to: Secret, options: CopyOptions): Promise<CopyReport> {
  const [source, target] = [place(from.reveal()), place(to.reveal())];
  if (source.identity === target.identity) {
    throw new StoreError('locked', `The source and the target are the same database: ${source.label}.`);
  }
  if (source.file !== null && !existsSync(source.file)) {
    throw new StoreError('not_writable', `There is no database at ${source.file}.`);
  }
  const reading = await openEngine(source);
  try {
    const writing = await openEngine(target);
    try {
      return await copyStore(reading, writing, options);
    } finally {
      await writing.close();
    }
  } finally {
    await reading.close();
  }
}

/** Whether the books of a database balance, by its address or file; also of one that a gateway is using. Throws StoreError. */
export async function checkDatabase(address: Secret): Promise<CheckReport> {
  const checked = place(address.reveal());
  if (checked.file !== null && !existsSync(checked.file)) {
    throw new StoreError('not_writable', `There is no database at ${checked.file}.`);
  }
  if (checked.file !== null) {
    const { file } = checked;
    const damage = damageIn(file);
    if (damage.length > 0) return { requests: 0, accounts: 0, leases: 0, cost: 0, held: 0, differences: damage };
    requireNewest(await pendingSqliteMigrations({ file }), checked.label);
    return readSqlite({ file }, checkBooks);
  }
  const { pendingPostgresMigrations } = await postgres();
  requireNewest(await pendingPostgresMigrations({ url: checked.url }), checked.label);
  const engine = await openEngine(checked);
  try {
    return await engine.snapshot(checkBooks);
  } finally {
    await engine.close();
  }
}

function requireNewest(pending: readonly MigrationStep[], label: string): void {
  if (pending.length === 0) return;
  throw new StoreError(
    'locked',
    `${label} was written by an older release. Bring it to this one with \`tollgate migrate\`, or check it with the release that wrote it.`,
  );
}

interface Place {
  readonly url: string;
  readonly file: string | null;
  readonly label: string;
  readonly identity: string;
}

function place(text: string): Place {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    const file = resolve(text);
    return { url: '', file, label: file, identity: file };
  }
  const { label, schema } = parsePostgresAddress(text);
  return { url: text, file: null, label, identity: `${label}?${schema ?? ''}` };
}

async function openEngine({ file, url }: Place): Promise<SqlEngine> {
  if (file !== null) return openSqliteEngine({ file });
  const { openPostgresEngine } = await postgres();
  return openPostgresEngine({ url, poolMax: 2, statementTimeoutMs: copyStatementTimeoutMs });
}

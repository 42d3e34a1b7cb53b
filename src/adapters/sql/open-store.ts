import { join } from 'node:path';
import type { Secret } from '../../core/secret.ts';
import { openPostgresStore } from './postgres.ts';
import { openSqliteStore } from './sqlite.ts';
import type { SqlStore } from './store.ts';

export interface StoreSettings {
  /** Address of a PostgreSQL database; null = the embedded one. */
  readonly databaseUrl: Secret | null;
  /** Where the embedded database stands, as `tollgate.db`. */
  readonly dataFolder: string;
}

export const embeddedDatabaseFile = 'tollgate.db';

/** Opens the store that the settings ask for, with its tables at the newest version. Throws StoreError. */
export function openStore({ databaseUrl, dataFolder }: StoreSettings): Promise<SqlStore> {
  if (databaseUrl !== null) return openPostgresStore({ url: databaseUrl.reveal() });
  return openSqliteStore({ file: join(dataFolder, embeddedDatabaseFile) });
}

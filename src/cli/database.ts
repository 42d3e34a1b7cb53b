import { Option } from 'commander';
import { systemEnvironment } from '../config/environment.ts';
import { configFileFromEnvironment, readStartSettings } from '../config/start-settings.ts';
import type { Secret } from '../core/secret.ts';

export const dataFolderOption = () => new Option('--data-folder <folder>', 'where the embedded database lives');

export interface DatabaseWords {
  readonly config?: string;
  readonly dataFolder?: string;
}

/** The database that `start` would use with the same words. */
export async function databaseOf(
  words: DatabaseWords,
  date: number,
): Promise<{ databaseUrl: Secret | null; dataFolder: string }> {
  const environment = systemEnvironment();
  const file = words.config ?? configFileFromEnvironment(environment);
  // Loaded late: schemas and price lists take longer than the rest.
  const prepared = file === null ? null : (await import('../config/prepare.ts')).prepareConfig(file, environment, date);
  if (prepared !== null && prepared.config === undefined) {
    throw new Error(`${file} is not valid; \`tollgate check-config ${file}\` shows what is wrong.`);
  }
  const { databaseUrl, dataFolder } = readStartSettings(prepared?.config ?? null, environment);
  return { databaseUrl, dataFolder: words.dataFolder ?? dataFolder };
}

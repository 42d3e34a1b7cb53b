import { type Command, Option } from 'commander';
import { type AdminClient, adminClient } from '../adapters/admin-client.ts';
import { systemEnvironment } from '../config/environment.ts';
import { findMasterKey } from '../config/master-key.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly dataFolder: string;
  readonly json?: boolean;
}

/** Adds the options of every command that talks to a running gateway. */
export function withConnection(command: Command): Command {
  return command
    .addOption(
      new Option('--url <address>', 'address of the running gateway')
        .default('http://127.0.0.1:4000')
        .env('TOLLGATE_URL'),
    )
    .option('--data-folder <folder>', 'where the gateway keeps its master key when no variable holds it', 'data')
    .option('--json', 'print JSON for programs');
}

/** The client for a command's options; the master key never stands on the command line. */
export function connect(options: ConnectionOptions): AdminClient {
  const masterKey = findMasterKey(null, systemEnvironment(), options.dataFolder);
  if (masterKey === undefined) {
    throw new Error(
      `no master key: set TOLLGATE_MASTER_KEY, or name the gateway's data folder with --data-folder (looked in ${options.dataFolder})`,
    );
  }
  return adminClient(options.url, masterKey.key);
}

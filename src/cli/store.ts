import { Command } from 'commander';
import { type DatabaseWords, databaseOf, dataFolderOption } from './database.ts';
import { dollarsText } from './money-text.ts';

interface CopyWords {
  readonly from: string;
  readonly to: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

interface BackupWords extends DatabaseWords {
  readonly to: string;
  readonly json?: boolean;
}

/** `tollgate store …`: the database as a whole. */
export function storeCommand(): Command {
  const store = new Command('store').description('back up, check and copy the database as a whole');
  store
    .command('copy')
    .description('copy everything, all or nothing, and compare every balance; stop the gateway first')
    .requiredOption('--from <file|url>', 'the database to read: a file, a PostgreSQL address, or os.environ/NAME')
    .requiredOption('--to <file|url>', 'the database to fill: a PostgreSQL address, os.environ/NAME, or a file')
    .option('--force', 'replace what the target holds')
    .option('--json', 'print JSON for programs')
    .action(async (words: CopyWords) => {
      const [{ copyBetween }, { databaseAddress }] = await Promise.all([
        import('../adapters/sql/open-store.ts'),
        import('./database-address.ts'),
      ]);
      const report = await copyBetween(databaseAddress(words.from), databaseAddress(words.to), {
        replace: words.force ?? false,
        onProgress: (table, rows, total) => {
          if (!words.json) process.stderr.write(`\r${table}: ${rows} of ${total}${rows === total ? '\n' : ''}`);
        },
      });
      if (words.json) {
        console.log(JSON.stringify(report));
        return;
      }
      const rows = Object.values(report.rows).reduce((sum, count) => sum + count, 0);
      console.log(
        [
          `Copied ${rows} rows. Every balance is the same on both sides:`,
          `  spent   ${dollarsText(report.spent)}`,
          `  leased  ${dollarsText(report.leased)}`,
          `  cost of the requests on record  ${dollarsText(report.cost)}`,
          'Start the gateway with DATABASE_URL set to the target, and the same master key (or LITELLM_SALT_KEY) as before.',
        ].join('\n'),
      );
    });
  store
    .command('backup')
    .description('write the embedded database to a new file while the gateway runs, and check the copy')
    .requiredOption('--to <file>', 'the file to write; it must not exist')
    .option('-c, --config <file>', 'configuration that names the data folder')
    .addOption(dataFolderOption())
    .option('--json', 'print JSON for programs')
    .action(async (words: BackupWords) => {
      const [{ backUpSqlite }, { embeddedDatabase }, { systemClock }] = await Promise.all([
        import('../adapters/sql/sqlite-backup.ts'),
        import('../adapters/sql/open-store.ts'),
        import('../adapters/system-clock.ts'),
      ]);
      const { databaseUrl, dataFolder } = await databaseOf(words, systemClock().now());
      if (databaseUrl !== null && words.dataFolder === undefined) {
        throw new Error(
          'The database is PostgreSQL: back it up with pg_dump, or with pg_basebackup and the archived WAL. docs/backup.md says how.',
        );
      }
      const bytes = backUpSqlite(embeddedDatabase(dataFolder), words.to);
      await report(words.to, words.json ?? false, { file: words.to, bytes });
    });
  store
    .command('check')
    .description('compare every balance with the leases and requests it is made of; exit code 1 when something differs')
    .requiredOption('--of <file|url>', 'the database: a file, a PostgreSQL address, or os.environ/NAME')
    .option('--json', 'print JSON for programs')
    .action((words: { of: string; json?: boolean }) => report(words.of, words.json ?? false, {}));
  return store;
}

async function report(of: string, isJson: boolean, more: { file?: string; bytes?: number }): Promise<void> {
  const [{ checkDatabase }, { databaseAddress }] = await Promise.all([
    import('../adapters/sql/open-store.ts'),
    import('./database-address.ts'),
  ]);
  const found = await checkDatabase(databaseAddress(of));
  if (found.differences.length > 0) process.exitCode = 1;
  if (isJson) {
    console.log(JSON.stringify({ ...more, ...found }));
    return;
  }
  if (more.bytes !== undefined) console.log(`Wrote ${more.file}, ${more.bytes} bytes.`);
  for (const line of found.differences) console.log(`  ${line}`);
  console.log(
    found.differences.length > 0
      ? `The books do not balance: ${found.differences.length} differences.`
      : [
          `The books balance: ${found.requests} requests, ${found.accounts} accounts, ${found.leases} leases.`,
          `  cost of the requests on record  ${dollarsText(String(found.cost))}`,
          `  held by gateways                ${dollarsText(String(found.held))}`,
        ].join('\n'),
  );
}

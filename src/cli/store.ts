import { Command } from 'commander';
import { dollarsText } from './money-text.ts';

interface CopyWords {
  readonly from: string;
  readonly to: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `tollgate store …`: the database as a whole. */
export function storeCommand(): Command {
  const store = new Command('store').description('copy the database of a stopped gateway to another one');
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
  return store;
}

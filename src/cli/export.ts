import { Command, InvalidArgumentError } from 'commander';
import { dayStart } from '../admin/instant.ts';
import { type DatabaseWords, dataFolderOption } from './database.ts';

interface ExportWords extends DatabaseWords {
  readonly from: number;
  readonly to?: number;
  readonly out: string;
  readonly json?: boolean;
}

/** `tollgate export`: requests on record as lines of JSON, straight from the database. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write requests on record to a file, one JSON object a line; the gateway may run meanwhile')
    .requiredOption('--from <date>', 'first day, such as 2026-10-01', startOfDay)
    .option('--to <date>', 'first day that is left out (default: everything after --from)', startOfDay)
    .requiredOption('--out <file>', 'file to write; gzipped when it ends with .gz, never replaced')
    .option('-c, --config <file>', 'configuration that names the database; DATABASE_URL does, too')
    .addOption(dataFolderOption())
    .option('--json', 'print JSON for programs')
    .action(async (words: ExportWords) => {
      const [{ openStore, storePlace }, { databaseOf }, { systemClock }, { writeRecordFile }, { recordPages }] =
        await Promise.all([
          import('../adapters/sql/open-store.ts'),
          import('./database.ts'),
          import('../adapters/system-clock.ts'),
          import('../adapters/record-file.ts'),
          import('../admin/usage/record-pages.ts'),
        ]);
      const settings = await databaseOf(words, systemClock().now());
      const store = await openStore(settings);
      try {
        const range = { from: words.from, ...(words.to === undefined ? {} : { to: words.to }) };
        const written = await writeRecordFile(words.out, recordPages(store, range));
        if (words.json) console.log(JSON.stringify({ database: storePlace(settings), ...written }));
        else console.log(`${written.count} requests written to ${written.file}`);
      } finally {
        await store.close();
      }
    });
}

function startOfDay(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? dayStart(text) : undefined;
  if (at === undefined) throw new InvalidArgumentError('expected a date such as 2026-10-01');
  return at;
}

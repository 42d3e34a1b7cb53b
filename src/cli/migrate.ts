import { Command } from 'commander';
import { type DatabaseWords, dataFolderOption } from './database.ts';

interface MigrateWords extends DatabaseWords {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `tollgate migrate`: bring the tables to this release's version before, or instead of, the first start of it. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database to the version of this release; `start` does the same by itself')
    .option('-c, --config <file>', 'configuration that names the database; DATABASE_URL does, too')
    .addOption(dataFolderOption())
    .option('--dry-run', 'only show what would be done')
    .option('--json', 'print JSON for programs')
    .action(async (words: MigrateWords) => {
      const [{ migrateStore, storePlace }, { databaseOf }, { systemClock }] = await Promise.all([
        import('../adapters/sql/open-store.ts'),
        import('./database.ts'),
        import('../adapters/system-clock.ts'),
      ]);
      const settings = await databaseOf(words, systemClock().now());
      const dryRun = words.dryRun ?? false;
      const steps = await migrateStore(settings, dryRun);
      const database = storePlace(settings);
      if (words.json) {
        console.log(JSON.stringify({ database, dryRun, migrations: steps }));
        return;
      }
      if (steps.length === 0) console.log(`${database}: up to date`);
      for (const { version, title } of steps) {
        console.log(`${database}: ${dryRun ? 'would apply' : 'applied'} ${version} (${title})`);
      }
    });
}

import type { Kysely } from 'kysely';
import type { Database } from './engine.ts';

/** Sums of a few series over a long time are found without reading all of that time. Rows are only added to: no figure is indexed. */
export async function indexSumsBySeries(database: Kysely<Database>): Promise<void> {
  for (const table of ['usage_hours', 'usage_days']) {
    await database.schema.createIndex(`${table}_by_series`).on(table).columns(['series', 'start']).execute();
  }
  await database.schema.createIndex('usage_series_by_key_id').on('usage_series').column('key_id').execute();
  await database.schema.createIndex('usage_series_by_team_id').on('usage_series').column('team_id').execute();
}

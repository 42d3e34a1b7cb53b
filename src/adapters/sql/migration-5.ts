import type { Kysely } from 'kysely';
import type { Database } from './engine.ts';
import { createDescribed, type TableWords } from './migration-1.ts';
import { tables } from './tables.ts';

/** Projects inside teams, groups of models by name, and what people thought of answers. */
export async function createProjectTables(database: Kysely<Database>, words: TableWords): Promise<void> {
  for (const { name, shape } of [tables.projects, tables.accessGroups, tables.feedback]) {
    await createDescribed(database, words, name, shape.columns, ['id']);
  }
  for (const [table, column] of [
    ['projects', 'team_id'],
    ['access_groups', 'name'],
    ['feedback', 'trace_id'],
  ] as const) {
    await database.schema.createIndex(`${table}_by_${column}`).on(table).column(column).execute();
  }
}

import { accountsTable, tables } from './tables.ts';
import { namedColumns, seriesColumns, sumColumns, totalColumns } from './usage-rollup.ts';
import { usageColumns } from './usage-row.ts';

/** A table as `store copy` sees it: what to read, and the columns that put its rows in one order. */
export interface CopiedTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /** Its rows are what an operator would lose: a target that has any is not empty. */
  readonly isContent: boolean;
}

const content = (name: string, columns: readonly string[], key: readonly string[]): CopiedTable => ({
  name,
  columns,
  key,
  isContent: true,
});

const bookkeeping = (name: string, columns: readonly string[], key: readonly string[]): CopiedTable => ({
  name,
  columns,
  key,
  isContent: false,
});

export const usageTable = content('usage', usageColumns, ['started_at', 'id']);

export const accountsCopied = content(
  accountsTable.name,
  accountsTable.shape.columns.map(({ name }) => name),
  ['key', 'window_start'],
);

/**
 * Everything that is copied. Leases and checkpoints belong to it: a gateway whose journal was not yet in the store goes on
 * with it over the new one as if nothing had happened.
 */
export const copiedTables: readonly CopiedTable[] = [
  ...Object.values(tables).map(({ name, shape }) =>
    content(
      name,
      shape.columns.map((column) => column.name),
      ['id'],
    ),
  ),
  accountsCopied,
  content(
    'leases',
    ['process_id', 'key', 'window_start', 'amount', 'expires_at', 'written_off'],
    ['process_id', 'key', 'window_start'],
  ),
  bookkeeping('journal_checkpoints', ['process_id', 'segment', 'position'], ['process_id']),
  bookkeeping('book_calls', ['process_id', 'token', 'at', 'answer'], ['process_id', 'token']),
  bookkeeping('changes', ['version', 'scope', 'id'], ['version']),
  bookkeeping('change_counter', ['name', 'version'], ['name']),
  bookkeeping(
    'idempotency',
    [
      ...['key', 'fingerprint', 'request_id', 'state', 'running_until', 'expires_at'],
      ...['status', 'content_type', 'body'],
    ],
    ['key'],
  ),
  content('adjustments', ['id', 'at', 'actor', 'reason', 'request_id', 'key', 'window_start', 'amount'], ['id']),
  content('kept_objects', ['id', 'kind', 'owner', 'parent', 'position', 'body', 'expires_at'], ['id']),
  bookkeeping('alerts', ['id', 'at'], ['id']),
  bookkeeping('usage_series', seriesColumns, ['id']),
  content('usage_hours', sumColumns, ['start', 'series']),
  content('usage_days', sumColumns, ['start', 'series']),
  content('usage_past_hours', sumColumns, ['start', 'series']),
  content('usage_owner_days', sumColumns, ['start', 'series']),
  content('usage_owner_weeks', sumColumns, ['start', 'series']),
  content('usage_total_hours', totalColumns, ['start', 'series', 'shard']),
  content('usage_total_days', totalColumns, ['start', 'series', 'shard']),
  content('usage_named', namedColumns, ['kind', 'name', 'start', 'series']),
  content('usage_tags', ['tag', 'started_at', 'usage_id'], ['tag', 'started_at', 'usage_id']),
  usageTable,
];

/** Of one database only: what it was migrated to, who is alive over it, where its rows are. */
export const tablesNotCopied = ['schema_migrations', 'replicas', 'usage_ids'] as const;

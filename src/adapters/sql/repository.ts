import type { Kysely, SelectQueryBuilder } from 'kysely';
import { sql } from 'kysely';
import type { ListQuery, Repositories, Repository } from '../../core/store.ts';
import { SqlAdjustments } from './adjustments.ts';
import { SqlChanges } from './changes.ts';
import type { SqlRow } from './columns.ts';
import { sqlValue, wholeNumber } from './columns.ts';
import type { Database } from './engine.ts';
import { chunks, valuesMax } from './engine.ts';
import type { Table } from './tables.ts';
import { tables } from './tables.ts';

type Select = SelectQueryBuilder<Database, string, SqlRow>;

/** List, get, create, update and delete for any table of tables.ts. */
export class SqlRepository<Row extends { id: string }> implements Repository<Row> {
  readonly #table: Table<Row>;
  readonly #reader: Kysely<Database>;
  readonly #writer: Kysely<Database>;
  readonly #locksRows: boolean;

  /** `locksRows`: rows that are read are taken for the rest of the transaction. */
  constructor(table: Table<Row>, reader: Kysely<Database>, writer: Kysely<Database>, locksRows: boolean) {
    this.#table = table;
    this.#reader = reader;
    this.#writer = writer;
    this.#locksRows = locksRows;
  }

  async get(id: string): Promise<Row | undefined> {
    const stored = await this.#rows().where('id', '=', id).executeTakeFirst();
    return stored === undefined ? undefined : this.#table.shape.fromSql(stored);
  }

  async many(ids: readonly string[]): Promise<Row[]> {
    const rows: Row[] = [];
    for (const part of chunks([...new Set(ids)], valuesMax)) {
      const stored = await this.#rows().where('id', 'in', part).execute();
      for (const row of stored) rows.push(this.#table.shape.fromSql(row));
    }
    return rows;
  }

  async list(query: ListQuery<Row> = {}): Promise<Row[]> {
    let select = this.#filtered(this.#rows(), query);
    const { orderBy, descending, limit, offset } = query;
    if (orderBy !== undefined) {
      const column = this.#table.shape.column(orderBy).name;
      select = select.orderBy(column, (order) => (descending ? order.desc().nullsLast() : order.asc().nullsFirst()));
    }
    // The id settles ties, so that pages neither overlap nor leave gaps.
    if (orderBy !== 'id') select = select.orderBy('id', descending ? 'desc' : 'asc');
    if (limit !== undefined || offset !== undefined) select = select.limit(limit ?? Number.MAX_SAFE_INTEGER);
    if (offset !== undefined) select = select.offset(offset);
    const stored = await select.execute();
    return stored.map((row) => this.#table.shape.fromSql(row));
  }

  async count(query: ListQuery<Row> = {}): Promise<number> {
    const all = this.#reader.selectFrom(this.#table.name).select((build) => build.fn.countAll().as('rows'));
    const counted = await this.#filtered(all as unknown as Select, query).executeTakeFirst();
    return wholeNumber(counted?.rows);
  }

  async insert(row: Row): Promise<void> {
    await this.#writer.insertInto(this.#table.name).values(this.#table.shape.toSql(row)).execute();
  }

  async update(id: string, changes: Partial<Row>): Promise<Row | undefined> {
    const values = this.#table.shape.toSql(changes);
    delete values.id;
    if (Object.keys(values).length === 0) return this.get(id);
    const stored = await this.#writer
      .updateTable(this.#table.name)
      .set(values)
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    return stored === undefined ? undefined : this.#table.shape.fromSql(stored);
  }

  async remove(ids: readonly string[]): Promise<Row[]> {
    const removed: Row[] = [];
    for (const part of chunks([...new Set(ids)], valuesMax)) {
      const stored = await this.#writer.deleteFrom(this.#table.name).where('id', 'in', part).returningAll().execute();
      for (const row of stored) removed.push(this.#table.shape.fromSql(row));
    }
    return removed;
  }

  #rows(): Select {
    const rows = this.#reader.selectFrom(this.#table.name).selectAll() as unknown as Select;
    return this.#locksRows ? rows.forUpdate() : rows;
  }

  #filtered(select: Select, query: ListQuery<Row>): Select {
    let filtered = select;
    for (const [property, wanted] of Object.entries(query.where ?? {})) {
      if (wanted === undefined) continue;
      const { name, kind } = this.#table.shape.column(property);
      if (wanted === null) filtered = filtered.where(name, 'is', null);
      else if (Array.isArray(wanted) && !kind.startsWith('json')) {
        const present = wanted.filter((value) => value !== null).map((value) => sqlValue(kind, value, name));
        filtered = filtered.where((build) => {
          const among = present.length === 0 ? sql<boolean>`1 = 0` : build(name, 'in', present);
          return present.length === wanted.length ? among : build.or([among, build(name, 'is', null)]);
        });
      } else filtered = filtered.where(name, '=', sqlValue(kind, wanted, name));
    }
    for (const [property, text] of Object.entries(query.like ?? {})) {
      if (text === undefined) continue;
      const { name } = this.#table.shape.column(property);
      const pattern = `%${String(text).replace(/[\\%_]/g, '\\$&')}%`;
      filtered = filtered.where(sql<boolean>`lower(${sql.ref(name)}) like lower(${pattern}) escape '\\'`);
    }
    return filtered;
  }
}

/**
 * Every repository over one connection; inside a transaction both are the transaction, and `locksRows` is set where
 * others may write at the same time: what was read cannot change before it is written.
 */
export function sqlRepositories(reader: Kysely<Database>, writer: Kysely<Database>, locksRows = false): Repositories {
  const over = <Row extends { id: string }>(table: Table<Row>) => new SqlRepository(table, reader, writer, locksRows);
  return {
    keys: over(tables.keys),
    teams: over(tables.teams),
    memberships: over(tables.memberships),
    users: over(tables.users),
    organizations: over(tables.organizations),
    organizationMemberships: over(tables.organizationMemberships),
    endUsers: over(tables.endUsers),
    tags: over(tables.tags),
    projects: over(tables.projects),
    accessGroups: over(tables.accessGroups),
    feedback: over(tables.feedback),
    budgets: over(tables.budgets),
    models: over(tables.models),
    credentials: over(tables.credentials),
    settings: over(tables.settings),
    audit: over(tables.audit),
    changes: new SqlChanges(reader, writer),
    adjustments: new SqlAdjustments(writer, locksRows),
  };
}

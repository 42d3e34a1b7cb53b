import { StoreError } from '../../core/store.ts';

/** How a property is kept: whole numbers in BIGINT, booleans as 0 or 1, JSON as text. A question mark allows null. */
export type ColumnKind = 'text' | 'text?' | 'integer' | 'integer?' | 'boolean' | 'json' | 'json?';

export type Columns<Row> = { readonly [Property in keyof Row & string]-?: ColumnKind };

/** A row as the database has it. */
export type SqlRow = Record<string, unknown>;

/** `maxBudget` → `max_budget`. */
export function columnName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

interface Column {
  readonly property: string;
  readonly name: string;
  readonly kind: ColumnKind;
}

/** Turns rows of one shape into what the database keeps, and back. */
export class RowShape<Row> {
  readonly columns: readonly Column[];
  readonly #byProperty: ReadonlyMap<string, Column>;

  constructor(columns: Columns<Row>) {
    this.columns = Object.entries<ColumnKind>(columns).map(([property, kind]) => ({
      property,
      name: columnName(property),
      kind,
    }));
    this.#byProperty = new Map(this.columns.map((column) => [column.property, column]));
  }

  /** Throws RangeError for a property that is not a column. */
  column(property: string): Column {
    const column = this.#byProperty.get(property);
    if (column === undefined) throw new RangeError(`no such column: ${property}`);
    return column;
  }

  /** The given properties only; one that is undefined is left out. */
  toSql(row: Partial<Row>): SqlRow {
    const result: SqlRow = {};
    for (const [property, value] of Object.entries(row)) {
      if (value === undefined) continue;
      const { name, kind } = this.column(property);
      result[name] = sqlValue(kind, value, name);
    }
    return result;
  }

  fromSql(stored: SqlRow): Row {
    const row: Record<string, unknown> = {};
    for (const { property, name, kind } of this.columns) row[property] = rowValue(kind, stored[name]);
    return row as Row;
  }
}

export function sqlValue(kind: ColumnKind, value: unknown, name: string): unknown {
  if (value === null) return null;
  switch (kind) {
    case 'boolean':
      return value === true ? 1 : 0;
    case 'json':
    case 'json?':
      return JSON.stringify(value);
    case 'integer':
    case 'integer?':
      if (!Number.isSafeInteger(value)) throw new RangeError(`${name} must be a whole number, not ${String(value)}`);
      return value;
    default:
      return value;
  }
}

function rowValue(kind: ColumnKind, stored: unknown): unknown {
  if (stored === null || stored === undefined) return null;
  switch (kind) {
    case 'boolean':
      return stored === 1 || stored === true;
    case 'json':
    case 'json?':
      return JSON.parse(stored as string);
    case 'integer':
    case 'integer?':
      return wholeNumber(stored);
    default:
      return stored;
  }
}

/** Sums and counts arrive as numbers, or as text or bigint from engines with 64-bit integers. */
export function wholeNumber(stored: unknown): number {
  const number = Number(stored ?? 0);
  if (!Number.isSafeInteger(number))
    throw new StoreError('corrupt', `the store holds a figure that is too large: ${number}`);
  return number;
}

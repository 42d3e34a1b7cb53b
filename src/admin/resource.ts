import { isJsonObject, type JsonObject } from '../core/json.ts';
import { type AuditRecord, ConflictError, type Repositories, type Repository } from '../core/store.ts';
import type { Actor } from './actor.ts';
import type { Ownership } from './authorize.ts';
import { authorize, exists, notFound } from './authorize.ts';
import type { ControlPlane } from './control-plane.ts';
import { sealSinks } from './sealed-sinks.ts';

/** What every row of the control plane has. */
export interface TrackedRow {
  id: string;
  createdAt: number;
  updatedAt: number;
  createdBy: string | null;
  updatedBy: string | null;
  extra: JsonObject;
}

/** One kind of thing that administrators keep; everything they do to it goes through `mutate`. */
export interface Resource<Row extends TrackedRow> {
  /** Name in the audit log. */
  readonly name: string;
  readonly repository: (repositories: Repositories) => Repository<Row>;
  readonly ownership: (row: Row) => Ownership;
  /** What cached principals may depend on, told to them after the commit; null when they cannot (the name is told then). */
  readonly scope: string | null;
  /** Columns that bound the row itself: changing one is the action `limit`. */
  readonly bounds: readonly (keyof Row & string)[];
  /** Keys of `extra` that bound the row itself. */
  readonly extraBounds: readonly string[];
  /** The row as the audit log may keep it: no secrets. */
  readonly audited: (row: Row) => JsonObject;
}

/** Columns that bound everything that spends. */
export const limitBounds = [
  'maxBudget',
  'softBudget',
  'budgetDuration',
  'rpmLimit',
  'tpmLimit',
  'maxParallelRequests',
  'modelLimits',
  'budgetId',
] as const;

export function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}

type Untracked<Row extends TrackedRow> = Omit<Row, 'createdAt' | 'updatedAt' | 'createdBy' | 'updatedBy'>;

/**
 * The one way anything is changed: authorization on the object as it stands in the transaction, the change and its audit
 * row in that same transaction, and after the commit the word to whoever caches principals.
 */
export interface Mutation {
  readonly repositories: Repositories;
  create<Row extends TrackedRow>(resource: Resource<Row>, row: Untracked<Row>): Promise<Row>;
  /** `extra` is merged key by key; other columns given replace. Throws GatewayError('not_found'). */
  update<Row extends TrackedRow>(
    resource: Resource<Row>,
    id: string,
    changes: Partial<Untracked<Row>>,
    action?: AuditRecord['action'],
  ): Promise<Row>;
  remove<Row extends TrackedRow>(resource: Resource<Row>, ids: readonly string[]): Promise<Row[]>;
}

export async function mutate<Result>(
  plane: ControlPlane,
  actor: Actor,
  work: (mutation: Mutation) => Promise<Result>,
): Promise<Result> {
  const touched: { scope: string; id: string }[] = [];
  const result = await plane.store.transaction(async (repositories) => {
    touched.length = 0;
    const made = await work(mutationIn(plane, actor, repositories, touched));
    await repositories.changes.append(touched);
    return made;
  });
  for (const what of touched) plane.principals.invalidate(what);
  return result;
}

function mutationIn(
  plane: ControlPlane,
  actor: Actor,
  repositories: Repositories,
  touched: { scope: string; id: string }[],
): Mutation {
  const now = plane.clock.now();

  async function note<Row extends TrackedRow>(
    resource: Resource<Row>,
    action: AuditRecord['action'],
    id: string,
    before: Row | null,
    after: Row | null,
  ): Promise<void> {
    await repositories.audit.insert({
      id: plane.chance.id(),
      at: now,
      actor: actor.name,
      actorKeyId: actor.principal.kind === 'virtual_key' ? actor.principal.keyId : null,
      action,
      resource: resource.name,
      objectId: id,
      before: before === null ? null : resource.audited(before),
      after: after === null ? null : resource.audited(after),
    });
    touched.push({ scope: resource.scope ?? resource.name, id });
  }

  return {
    repositories,
    async create(resource, draft) {
      const row = {
        ...withSealedSinks(draft, plane),
        createdAt: now,
        updatedAt: now,
        createdBy: actor.name,
        updatedBy: actor.name,
      } as Parameters<typeof resource.ownership>[0];
      authorize(actor, 'create', resource.ownership(row));
      await resource
        .repository(repositories)
        .insert(row)
        .catch((cause: unknown) => {
          throw cause instanceof ConflictError && cause.column === 'id' ? exists(resource.name, row.id) : cause;
        });
      await note(resource, 'created', row.id, null, row);
      return row;
    },
    async update(resource, id, changes, action = 'updated') {
      const repository = resource.repository(repositories);
      const before = await repository.get(id);
      if (before === undefined) throw notFound(resource.name, id);
      const written = {
        ...withSealedSinks(changes, plane),
        ...(changes.extra === undefined ? {} : { extra: { ...before.extra, ...changes.extra } }),
        updatedAt: now,
        updatedBy: actor.name,
      } as Partial<typeof before>;
      const after = { ...before, ...written };
      authorize(actor, 'update', resource.ownership(before));
      // Whoever may delete a key may also give it an end: that is what a rotation does to the old one.
      if (changesBounds(resource, before, after))
        authorize(actor, action === 'regenerated' ? 'delete' : 'limit', resource.ownership(before));
      if (!same(resource.ownership(before), resource.ownership(after))) {
        authorize(actor, 'limit', resource.ownership(before));
        authorize(actor, 'create', resource.ownership(after));
      }
      const row = await repository.update(id, written);
      if (row === undefined) throw notFound(resource.name, id);
      await note(resource, action, id, before, row);
      return row;
    },
    async remove(resource, ids) {
      const repository = resource.repository(repositories);
      const rows = await repository.many(ids);
      for (const row of rows) authorize(actor, 'delete', resource.ownership(row));
      await repository.remove(rows.map((row) => row.id));
      for (const row of rows) await note(resource, 'deleted', row.id, row, null);
      return rows;
    },
  };
}

/** Credentials of sinks stand in metadata, which is kept and shown; so they are sealed before anything is written. */
function withSealedSinks<Columns extends object>(columns: Columns, { vault }: ControlPlane): Columns {
  const { metadata } = columns as { metadata?: unknown };
  if (!isJsonObject(metadata) || metadata.logging === undefined) return columns;
  return { ...columns, metadata: sealSinks(metadata, vault) };
}

/** What nobody but administrators may touch. */
export function administratorsOnly(row: { readonly id: string }): Ownership {
  return { kind: 'other', id: row.id, userId: null, teamId: null, organizationId: null };
}

/** A row without secrets as it stands; rows that hold some have a function of their own. */
export function auditedRow(row: object): JsonObject {
  return { ...row } as unknown as JsonObject;
}

function changesBounds<Row extends TrackedRow>(resource: Resource<Row>, before: Row, after: Row): boolean {
  return (
    resource.bounds.some((column) => !same(before[column], after[column])) ||
    resource.extraBounds.some((key) => !same(before.extra[key] ?? null, after.extra[key] ?? null))
  );
}

function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

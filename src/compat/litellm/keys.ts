import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import { isAdministrator } from '../../admin/actor.ts';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import type { MintedKey } from '../../admin/key.ts';
import { keyIdOf, keyResource, mintKey, refuseTakenAlias, requireReferences, rotateKey } from '../../admin/key.ts';
import { requireProject } from '../../admin/project.ts';
import type { Mutation } from '../../admin/resource.ts';
import { mutate } from '../../admin/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import type { KeyRecord } from '../../core/store.ts';
import { dollars, label } from './fields.ts';
import type { LimitedKey } from './guaranteed-limits.ts';
import { changesLimits, requireGuaranteedRoom } from './guaranteed-limits.ts';
import { keyFigures } from './key-figures.ts';
import { requireMayMakeKey, requireMayMoveKey, requirePlainAlias } from './key-making.ts';
import { refuseWiderKey, withKeyRules } from './key-rules.ts';
import type { KeyBody } from './key-shape.ts';
import { changedKeyOutput, keyColumns, keyFields, keyOutput, lifetime, newKeyOutput, shownKey } from './key-shape.ts';
import { noLimits } from './limit-fields.ts';

const tag = 'keys';
const keyParam = z.string().min(1).max(512);
const oneKey = z.object({ key: keyParam });

const generateBody = z.object({
  ...keyFields,
  key: z.string().nullish().describe('a key of your own: starts with sk-, at least 16 characters'),
  spend: dollars.nullish(),
});

const regenerateBody = z.object({
  ...keyFields,
  key: keyParam.optional(),
  new_key: z.string().nullish(),
  grace_period: z.string().nullish().describe('how long the old key stays valid, such as 24h'),
});

/** Everything about virtual keys that changes one. Reading is in key-reads.ts. */
export function keyEndpoints(plane: ControlPlane): Endpoint[] {
  const generate = (needsTeam: boolean) => async (call: { actor: Actor; body: z.output<typeof generateBody> }) => {
    const { actor, body } = call;
    if (needsTeam && !body.team_id)
      throw new GatewayError('malformed_request', 'team_id is required for a service account key.', {
        param: 'team_id',
      });
    if (body.spend) throw spendIsCounted();
    requireMayMakeKey(plane, actor, body);
    const minted = mintKey(plane, body.key ?? null);
    const row = await mutate(plane, actor, (mutation) =>
      createKey(plane, mutation, actor, minted, body, needsTeam ? null : defaultOwner(actor, body)),
    );
    return {
      ...(await shownNewKey(plane, row, minted)),
      duration: body.duration ?? null,
      blocked: body.blocked ?? null,
    };
  };

  const regenerate = async (actor: Actor, which: string, body: z.output<typeof regenerateBody>) => {
    const minted = mintKey(plane, body.new_key ?? null);
    const graceMs = body.grace_period ? lifetime(body.grace_period, 'grace_period', 0) : 0;
    const row = await mutate(plane, actor, async (mutation) => {
      let old = await mustFind(mutation, which);
      if (!isAdministrator(actor)) refuseWiderKey(plane, body);
      const changes = keyColumns(body, plane.clock.now());
      if (Object.keys(changes).length > 0) {
        requireMayMoveKey(plane, actor, old, changes);
        await checkKey(plane, mutation, changes, old);
        old = await mutation.update(keyResource, old.id, changes);
      }
      return rotateKey(plane, mutation, old, minted, {}, graceMs);
    });
    return { ...(await shownNewKey(plane, row, minted)), duration: body.duration ?? null };
  };

  const setBlocked = (blocked: boolean) => async (call: { actor: Actor; body: { key: string } }) => {
    const row = await mutate(plane, call.actor, async (mutation) =>
      mutation.update(
        keyResource,
        (await mustFind(mutation, call.body.key)).id,
        { blocked },
        blocked ? 'blocked' : 'unblocked',
      ),
    );
    return shownOne(plane, row);
  };

  return [
    endpoint('POST /key/generate', {
      access: 'self_service',
      tag,
      summary: 'Create a virtual key. It is shown in this answer only.',
      body: generateBody,
      response: newKeyOutput,
      run: generate(false),
    }),
    endpoint('POST /key/service-account/generate', {
      access: 'self_service',
      tag,
      summary: 'Create a key that belongs to a team and to no user.',
      body: generateBody,
      response: newKeyOutput,
      run: generate(true),
    }),
    endpoint('POST /key/update', {
      access: 'self_service',
      tag,
      summary: 'Change a key. Fields left out stay, null clears.',
      body: z.object({
        ...keyFields,
        key: keyParam.optional(),
        spend: dollars.nullish(),
        temp_budget_increase: dollars.nullish(),
        temp_budget_expiry: z.string().nullish().describe('a duration from now, or an ISO 8601 time'),
      }),
      response: changedKeyOutput,
      async run({ actor, body }) {
        if (body.spend !== undefined && body.spend !== null) throw spendIsCounted();
        requirePlainAlias(plane, body.key_alias);
        const now = plane.clock.now();
        const { key: given, row } = await mutate(plane, actor, async (mutation) => {
          const old = body.key === undefined ? await findByAlias(mutation, body) : await mustFind(mutation, body.key);
          if (!isAdministrator(actor)) refuseWiderKey(plane, body);
          const changes = keyColumns(body, now);
          if (body.temp_budget_increase !== undefined) changes.temporaryIncrease = body.temp_budget_increase;
          if (body.temp_budget_expiry !== undefined)
            changes.temporaryIncreaseUntil = untilWhen(body.temp_budget_expiry, now);
          requireMayMoveKey(plane, actor, old, changes);
          requireWholeIncrease({ ...old, ...changes });
          await checkKey(plane, mutation, changes, old);
          return { key: body.key ?? old.id, row: await mutation.update(keyResource, old.id, changes) };
        });
        return { ...(await shownOne(plane, row)), key: given };
      },
    }),
    endpoint('POST /key/delete', {
      access: 'self_service',
      tag,
      summary: 'Delete keys by key, hash or alias; they are refused from the next request on.',
      body: z.object({
        keys: z.array(keyParam).max(1_000).nullish(),
        key_aliases: z.array(label).max(1_000).nullish(),
      }),
      response: z.object({ deleted_keys: z.array(z.string()) }),
      async run({ actor, body }) {
        const given = [...(body.keys ?? []), ...(body.key_aliases ?? [])];
        if (given.length === 0)
          throw new GatewayError('malformed_request', 'Name at least one key in keys or key_aliases.', {
            param: 'keys',
          });
        await mutate(plane, actor, async (mutation) => {
          const rows: KeyRecord[] = [];
          for (const key of body.keys ?? []) rows.push(await mustFind(mutation, key));
          for (const alias of body.key_aliases ?? []) rows.push(await findByAlias(mutation, { key_alias: alias }));
          await mutation.remove(keyResource, [...new Set(rows.map((row) => row.id))]);
        });
        return { deleted_keys: given };
      },
    }),
    endpoint('POST /key/regenerate', {
      access: 'self_service',
      tag,
      summary: 'Put a new key in the place of one; with grace_period the old one stays valid for a while.',
      body: regenerateBody,
      response: newKeyOutput,
      run: ({ actor, body }) => regenerate(actor, body.key ?? actor.principal.keyId, body),
    }),
    endpoint('POST /key/{key}/regenerate', {
      access: 'self_service',
      tag,
      summary: 'Put a new key in the place of one.',
      body: regenerateBody,
      response: newKeyOutput,
      run: ({ actor, body, params }) => regenerate(actor, params.key!, body),
    }),
    endpoint('POST /key/block', {
      access: 'self_service',
      tag,
      summary: 'Refuse a key until it is unblocked.',
      body: oneKey,
      response: keyOutput,
      run: setBlocked(true),
    }),
    endpoint('POST /key/unblock', {
      access: 'self_service',
      tag,
      summary: 'Accept a blocked key again.',
      body: oneKey,
      response: keyOutput,
      run: setBlocked(false),
    }),
    endpoint('POST /key/{key}/reset_spend', {
      access: 'self_service',
      tag,
      summary: 'Start a key on a new account with nothing spent; what was spent stays on record.',
      body: z.object({ reset_to: dollars.default(0) }),
      response: changedKeyOutput,
      async run({ actor, body, params }) {
        if (body.reset_to !== 0)
          throw new GatewayError('malformed_request', 'Spend can be reset to 0 only: it is a sum of records.', {
            param: 'reset_to',
          });
        const row = await mutate(plane, actor, async (mutation) => {
          const old = await mustFind(mutation, params.key!);
          return mutation.update(keyResource, old.id, { extra: { account_id: plane.chance.id() } }, 'reset');
        });
        return { ...(await shownOne(plane, row)), key: row.id };
      },
    }),
    endpoint('POST /key/bulk_update', {
      access: 'admin',
      tag,
      summary: 'Change many keys, each on its own: what fails does not stop the others.',
      body: z.object({ keys: z.array(z.object({ ...keyFields, key: keyParam })).max(500) }),
      response: z.object({
        total_requested: z.number(),
        successful_updates: z.array(z.object({ key: z.string(), key_info: keyOutput })),
        failed_updates: z.array(z.object({ key: z.string(), failed_reason: z.string() })),
      }),
      async run({ actor, body }) {
        const done = [];
        const failed = [];
        for (const wanted of body.keys) {
          try {
            const row = await mutate(plane, actor, async (mutation) => {
              const old = await mustFind(mutation, wanted.key);
              const changes = keyColumns(wanted, plane.clock.now());
              await checkKey(plane, mutation, changes, old);
              return mutation.update(keyResource, old.id, changes);
            });
            done.push({ key: row.id, key_info: await shownOne(plane, row) });
          } catch (error) {
            if (!(error instanceof GatewayError)) throw error;
            failed.push({ key: keyIdOf(wanted.key), failed_reason: error.message });
          }
        }
        return { total_requested: body.keys.length, successful_updates: done, failed_updates: failed };
      },
    }),
  ];
}

/** Shared with `/user/new`, which makes a key beside the user. */
export async function createKey(
  plane: ControlPlane,
  mutation: Mutation,
  actor: Actor,
  minted: MintedKey,
  body: KeyBody,
  owner: string | null,
): Promise<KeyRecord> {
  const now = plane.clock.now();
  const columns = keyColumns(withKeyRules(plane, body), now);
  refuseWiderRoutes(actor, columns.allowedRoutes ?? []);
  await checkKey(plane, mutation, columns, { ...noLimits, id: minted.id, teamId: null, extra: {} });
  return mutation.create(keyResource, {
    ...noLimits,
    alias: null,
    teamId: null,
    organizationId: null,
    models: [],
    aliases: {},
    allowedRoutes: [],
    blocked: false,
    expiresAt: null,
    metadata: {},
    tags: [],
    ...columns,
    userId: owner,
    extra: columns.extra ?? {},
    id: minted.id,
    name: minted.name,
    replacedBy: null,
    temporaryIncrease: null,
    temporaryIncreaseUntil: null,
    lastActiveAt: null,
  });
}

/** A user's key is the user's unless an administrator says otherwise. */
function defaultOwner(actor: Actor, body: KeyBody): string | null {
  if (body.user_id) return body.user_id;
  return isAdministrator(actor) || body.team_id ? null : actor.principal.userId;
}

/** A key that may call few routes must not make one that may call more. */
function refuseWiderRoutes(actor: Actor, routes: readonly string[]): void {
  const own = actor.principal.allowedRoutes;
  if (isAdministrator(actor) || own.length === 0) return;
  if (routes.length > 0 && routes.every((route) => own.includes(route))) return;
  throw new GatewayError(
    'route_denied',
    `A key with allowed_routes can only make keys with routes among its own: [${own.join(', ')}].`,
    { param: 'allowed_routes' },
  );
}

/** What is given refers to what there is, and fits what the key has already. */
async function checkKey(
  plane: ControlPlane,
  mutation: Mutation,
  columns: Partial<KeyRecord>,
  old: LimitedKey,
): Promise<void> {
  const key = { ...old, ...columns, extra: { ...old.extra, ...columns.extra } };
  await refuseTakenAlias(mutation, columns.alias ?? null, old.id);
  await requireProject(mutation, key);
  await requireReferences(mutation, columns);
  if (changesLimits(columns)) await requireGuaranteedRoom(mutation, key, plane.clock.now());
}

async function mustFind(mutation: Mutation, key: string): Promise<KeyRecord> {
  const row = await mutation.repositories.keys.get(keyIdOf(key));
  if (row === undefined) throw notFound('key', key);
  return row;
}

async function findByAlias(mutation: Mutation, body: { key_alias?: string | null | undefined }): Promise<KeyRecord> {
  if (!body.key_alias)
    throw new GatewayError('malformed_request', 'Name the key in key, or its alias in key_alias.', { param: 'key' });
  const [row] = await mutation.repositories.keys.list({ where: { alias: body.key_alias }, limit: 1 });
  if (row === undefined) throw notFound('key', body.key_alias);
  return row;
}

function requireWholeIncrease(row: KeyRecord): void {
  if ((row.temporaryIncrease === null) === (row.temporaryIncreaseUntil === null)) return;
  const param = row.temporaryIncrease === null ? 'temp_budget_increase' : 'temp_budget_expiry';
  throw new GatewayError(
    'malformed_request',
    `${param} is missing: a temporary increase needs an amount (temp_budget_increase, US dollars) and an end (temp_budget_expiry, such as 24h or an ISO 8601 time).`,
    { param },
  );
}

function untilWhen(text: string | null, now: number): number | null {
  if (text === null || text === '') return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? lifetime(text, 'temp_budget_expiry', now) : at;
}

function spendIsCounted(): GatewayError {
  return new GatewayError(
    'malformed_request',
    'spend cannot be written: it is the sum of what was recorded. Use /key/{key}/reset_spend to credit a key.',
    { param: 'spend' },
  );
}

async function shownOne(plane: ControlPlane, row: KeyRecord) {
  const [figures] = await keyFigures(plane, [row]);
  return shownKey(row, figures!);
}

async function shownNewKey(plane: ControlPlane, row: KeyRecord, minted: MintedKey) {
  return { ...(await shownOne(plane, row)), key: minted.plain, token_id: row.id };
}

import { createHash } from 'node:crypto';
import { GatewayError } from '../core/errors.ts';
import type { KeyRecord } from '../core/store.ts';
import { keyAccountId } from '../core/store.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Mutation, Resource } from './resource.ts';
import { auditedRow, limitBounds } from './resource.ts';

/** Virtual keys. Only the holder changes nothing but the name: everything else about a key bounds it. */
export const keyResource: Resource<KeyRecord> = {
  name: 'key',
  repository: (repositories) => repositories.keys,
  ownership: (row) => ({
    kind: 'key',
    id: row.id,
    userId: row.userId,
    teamId: row.teamId,
    organizationId: row.organizationId,
  }),
  scope: 'key',
  bounds: [
    ...limitBounds,
    'models',
    'aliases',
    'allowedRoutes',
    'blocked',
    'expiresAt',
    'metadata',
    'tags',
    'temporaryIncrease',
    'temporaryIncreaseUntil',
  ],
  extraBounds: [
    'account_id',
    'budget_limits',
    'model_rpm_limit',
    'model_tpm_limit',
    'mcp_rpm_limit',
    'tag_rpm_limit',
    'permissions',
    'object_permission',
    'allowed_cache_controls',
    'allowed_passthrough_routes',
    'allowed_vector_store_indexes',
    'access_group_ids',
    'project_id',
    'guardrails',
    'disable_global_guardrails',
    'policies',
    'enforced_params',
    'budget_fallbacks',
    'throttle_on_budget_exceeded',
  ],
  audited: auditedRow,
};

const ownKeyLengthMin = 16;
const ownKeyLengthMax = 512;

/** A key and what is kept of it: the key itself is shown once and never stored. */
export interface MintedKey {
  readonly plain: string;
  readonly id: string;
  readonly name: string;
}

/** 256 random bits behind `sk-`; or the operator's own choice of key. */
export function mintKey(plane: ControlPlane, own: string | null = null): MintedKey {
  if (own !== null) {
    if (
      !own.startsWith('sk-') ||
      own.length < ownKeyLengthMin ||
      own.length > ownKeyLengthMax ||
      !/^[\x21-\x7e]+$/.test(own)
    )
      throw new GatewayError(
        'malformed_request',
        `A key of your own must start with 'sk-' and have ${ownKeyLengthMin} to ${ownKeyLengthMax} visible ASCII characters.`,
        { param: 'key' },
      );
  }
  const plain = own ?? `sk-${plane.chance.token(32)}`;
  return { plain, id: keyIdOf(plain), name: `sk-...${plain.slice(-4)}` };
}

/** The id of a key given as itself or as its id already. */
export function keyIdOf(keyOrId: string): string {
  return /^[0-9a-f]{64}$/.test(keyOrId) ? keyOrId : createHash('sha256').update(keyOrId).digest('hex');
}

export async function refuseTakenAlias(
  mutation: Mutation,
  alias: string | null,
  exceptId: string | null,
): Promise<void> {
  if (alias === null) return;
  const taken = await mutation.repositories.keys.list({ where: { alias }, limit: 2 });
  if (taken.some((row) => row.id !== exceptId))
    throw new GatewayError(
      'malformed_request',
      `Key with alias '${alias}' already exists. Unique key aliases across all keys are required.`,
      { param: 'key_alias' },
    );
}

/** Everything a key refers to must exist, or its limits would silently be none. */
export async function requireReferences(
  mutation: Mutation,
  refs: { teamId?: string | null; organizationId?: string | null; budgetId?: string | null },
): Promise<void> {
  const { repositories } = mutation;
  const missing = (kind: string, id: string, param: string) =>
    new GatewayError('malformed_request', `${kind} not found: ${param}=${id}. Create it first.`, { param });
  if (refs.teamId && (await repositories.teams.get(refs.teamId)) === undefined)
    throw missing('Team', refs.teamId, 'team_id');
  if (refs.organizationId && (await repositories.organizations.get(refs.organizationId)) === undefined)
    throw missing('Organization', refs.organizationId, 'organization_id');
  if (refs.budgetId && (await repositories.budgets.get(refs.budgetId)) === undefined)
    throw missing('Budget', refs.budgetId, 'budget_id');
}

/**
 * Puts a new key in the place of one. Without grace the old key is gone with the commit; with it, it stays good until
 * then (never beyond its own end) and spends from the same account.
 */
export async function rotateKey(
  plane: ControlPlane,
  mutation: Mutation,
  old: KeyRecord,
  minted: MintedKey,
  changes: Partial<KeyRecord>,
  graceMs: number,
): Promise<KeyRecord> {
  const now = plane.clock.now();
  const alias = changes.alias === undefined ? old.alias : changes.alias;
  if (graceMs > 0) {
    const end = now + graceMs;
    await mutation.update(
      keyResource,
      old.id,
      { alias: null, replacedBy: minted.id, expiresAt: old.expiresAt === null ? end : Math.min(end, old.expiresAt) },
      'regenerated',
    );
  } else {
    await mutation.remove(keyResource, [old.id]);
  }
  return mutation.create(keyResource, {
    ...old,
    ...changes,
    id: minted.id,
    name: minted.name,
    alias,
    replacedBy: null,
    lastActiveAt: null,
    extra: { ...old.extra, ...changes.extra, account_id: keyAccountId(old) },
  });
}

import type { Principal, Role } from '../core/identity.ts';
import type { Store } from '../core/store.ts';

/** The caller of the control plane: the principal of its key and what it administers. */
export interface Actor {
  readonly principal: Principal;
  readonly role: Role;
  /** Name written into `created_by`, `updated_by` and the audit log. */
  readonly name: string;
  readonly teams: ReadonlySet<string>;
  /** Its own and those of the organizations it administers. */
  readonly teamsAdministered: ReadonlySet<string>;
  readonly organizations: ReadonlySet<string>;
  readonly organizationsAdministered: ReadonlySet<string>;
}

/** The name of the administrator who has only the master key. */
export const masterUserId = 'default_user_id';

const none: ReadonlySet<string> = new Set();

export function isAdministrator(actor: Actor): boolean {
  return actor.role === 'proxy_admin';
}

/** May look at everything, secrets excepted. */
export function seesEverything(actor: Actor): boolean {
  return actor.role === 'proxy_admin' || actor.role === 'proxy_admin_viewer';
}

/** `changedBy` is what an administrator says on whose behalf it acts; it only ever names, it never grants. */
export async function actorOf(store: Store, principal: Principal, changedBy: string | null): Promise<Actor> {
  const role = principal.kind === 'virtual_key' ? principal.role : 'proxy_admin';
  const named = role === 'proxy_admin' && changedBy !== null && changedBy !== '' ? changedBy.slice(0, 256) : null;
  const name = named ?? principal.userId ?? (principal.kind === 'virtual_key' ? principal.keyId : masterUserId);
  const bare = { principal, role, name, teams: none, teamsAdministered: none };
  const userId = principal.userId;
  if (userId === null || role === 'proxy_admin' || role === 'proxy_admin_viewer')
    return { ...bare, organizations: none, organizationsAdministered: none };
  const [memberships, organizations] = await Promise.all([
    store.memberships.list({ where: { userId } }),
    store.organizationMemberships.list({ where: { userId } }),
  ]);
  const administered = organizations.filter((row) => row.role === 'org_admin').map((row) => row.organizationId);
  const theirTeams =
    administered.length === 0 ? [] : await store.teams.list({ where: { organizationId: administered } });
  const runs = memberships.filter((row) => row.role === 'admin').map((row) => row.teamId);
  return {
    ...bare,
    teams: new Set(memberships.map((row) => row.teamId)),
    teamsAdministered: new Set([...runs, ...theirTeams.map((row) => row.id)]),
    organizations: new Set(organizations.map((row) => row.organizationId)),
    organizationsAdministered: new Set(administered),
  };
}

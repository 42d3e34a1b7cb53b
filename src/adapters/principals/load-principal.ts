import type { KeyRecord, Repositories } from '../../core/store.ts';
import type { Chain } from './compile-principal.ts';

type Read = Pick<Repositories, 'keys' | 'users' | 'teams' | 'memberships' | 'organizations' | 'projects' | 'budgets'>;

/** Reads a key and all it hangs from, `actingUser` in the place of its user; undefined when there is no such key. */
export async function loadChain(store: Read, keyId: string, actingUser?: string): Promise<Chain | undefined> {
  const stored = await store.keys.get(keyId);
  if (stored === undefined) return undefined;
  const key = actingUser === undefined ? stored : { ...stored, userId: actingUser };
  const { userId, teamId } = key;
  const projectId = projectOf(key);
  const [user, team, membership, project] = await Promise.all([
    userId === null ? undefined : store.users.get(userId),
    teamId === null ? undefined : store.teams.get(teamId),
    userId === null || teamId === null ? undefined : store.memberships.get(`${teamId}/${userId}`),
    projectId === null ? undefined : store.projects.get(projectId),
  ]);
  const organizationId = key.organizationId ?? team?.organizationId ?? null;
  const organization = organizationId === null ? undefined : await store.organizations.get(organizationId);
  const named = [key, user, team, project, organization]
    .map((one) => one?.budgetId ?? null)
    .filter((id) => id !== null);
  const budgets = named.length === 0 ? [] : await store.budgets.many(named);
  return {
    key,
    user,
    team,
    membership,
    project,
    projectId,
    organization,
    organizationId,
    budgets: new Map(budgets.map((budget) => [budget.id, budget])),
  };
}

function projectOf({ extra }: KeyRecord): string | null {
  return typeof extra.project_id === 'string' && extra.project_id !== '' ? extra.project_id : null;
}

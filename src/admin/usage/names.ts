import type { ControlPlane } from '../control-plane.ts';

/** Names for people by id, as far as they are known: aliases of keys, teams and organizations. */
export async function shownNames(
  plane: ControlPlane,
  wanted: {
    readonly key?: readonly string[] | undefined;
    readonly team?: readonly string[] | undefined;
    readonly organization?: readonly string[] | undefined;
  },
): Promise<Readonly<Record<'key' | 'team' | 'organization', ReadonlyMap<string, string>>>> {
  const { store } = plane;
  const [keys, teams, organizations] = await Promise.all([
    wanted.key?.length ? store.keys.many(wanted.key) : [],
    wanted.team?.length ? store.teams.many(wanted.team) : [],
    wanted.organization?.length ? store.organizations.many(wanted.organization) : [],
  ]);
  return {
    key: new Map(keys.map((row) => [row.id, row.alias ?? row.name])),
    team: new Map(teams.flatMap((row) => (row.alias === null ? [] : [[row.id, row.alias]]))),
    organization: new Map(organizations.map((row) => [row.id, row.alias])),
  };
}

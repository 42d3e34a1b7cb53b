import type { Json } from '../../core/json.ts';
import type { ControlPlane } from '../control-plane.ts';

type Named = 'key' | 'team' | 'organization';

/** Of more that are gone, the rest stay without a name. */
const goneMax = 5_000;

/** Names for people by id: aliases of keys, teams and organizations, also of those that were deleted or replaced since. */
export async function shownNames(
  plane: ControlPlane,
  wanted: Readonly<Partial<Record<Named, readonly string[] | undefined>>>,
): Promise<Readonly<Record<Named, ReadonlyMap<string, string>>>> {
  const { store } = plane;
  const [keys, teams, organizations] = await Promise.all([
    wanted.key?.length ? store.keys.many(wanted.key) : [],
    wanted.team?.length ? store.teams.many(wanted.team) : [],
    wanted.organization?.length ? store.organizations.many(wanted.organization) : [],
  ]);
  const ids = (rows: readonly { readonly id: string }[]) => new Set(rows.map(({ id }) => id));
  const [goneKeys, goneTeams, goneOrganizations] = await Promise.all([
    gone(plane, 'key', wanted.key, ids(keys)),
    gone(plane, 'team', wanted.team, ids(teams)),
    gone(plane, 'organization', wanted.organization, ids(organizations)),
  ]);
  return {
    key: new Map([...goneKeys, ...keys.map((row) => [row.id, row.alias ?? row.name] as const)]),
    team: new Map([
      ...goneTeams,
      ...teams.flatMap((row) => (row.alias === null ? [] : [[row.id, row.alias] as const])),
    ]),
    organization: new Map([...goneOrganizations, ...organizations.map((row) => [row.id, row.alias] as const)]),
  };
}

/** What the audit log says they were called when they went. */
async function gone(
  { store }: ControlPlane,
  resource: Named,
  wanted: readonly string[] | undefined,
  known: ReadonlySet<string>,
): Promise<[string, string][]> {
  const objectId = (wanted ?? []).filter((id) => !known.has(id)).slice(0, goneMax);
  if (objectId.length === 0) return [];
  const rows = await store.audit.list({
    where: { objectId, resource, action: ['deleted', 'regenerated'] },
    orderBy: 'at',
    limit: goneMax,
  });
  return rows.flatMap(({ objectId: id, before }): [string, string][] => {
    const called = textOf(before?.alias) ?? textOf(before?.name);
    return called === null ? [] : [[id, called]];
  });
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

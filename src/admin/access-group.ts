import { GatewayError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import type { Snapshot } from '../core/route.ts';
import type { AccessGroupRecord, KeyRecord, TeamRecord } from '../core/store.ts';
import { shownId } from './authorize.ts';
import { keyIdOf, keyResource } from './key.ts';
import type { Mutation, Resource } from './resource.ts';
import { administratorsOnly, auditedRow } from './resource.ts';
import { teamResource } from './team.ts';

/** Models under one name. Principals hold the name; what it stands for is in the snapshot. */
export const accessGroupResource: Resource<AccessGroupRecord> = {
  name: 'access_group',
  repository: (repositories) => repositories.accessGroups,
  ownership: administratorsOnly,
  scope: null,
  bounds: [],
  extraBounds: [],
  audited: auditedRow,
};

/** Keys and teams that a group is given to. */
export interface Assignment {
  readonly teamIds: readonly string[];
  readonly keyIds: readonly string[];
}

export function assignmentOf({ extra }: Pick<AccessGroupRecord, 'extra'>): Assignment {
  const texts = (value: unknown) => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
  return { teamIds: texts(extra.assigned_team_ids), keyIds: texts(extra.assigned_key_ids) };
}

/** Writes the group's id into what it is newly given to, and out of what it is taken from. */
export async function assign(
  mutation: Mutation,
  groupId: string,
  before: Assignment,
  after: Assignment,
): Promise<void> {
  const { keys, teams } = mutation.repositories;
  const change = async (
    ids: readonly string[],
    read: (id: string) => Promise<KeyRecord | TeamRecord | undefined>,
    write: (id: string, groups: string[]) => Promise<unknown>,
    gets: boolean,
    what: string,
  ) => {
    for (const id of ids) {
      const row = await read(id);
      if (row === undefined && gets) throw new GatewayError('not_found', `${what} not found: ${shownId(id)}.`);
      if (row === undefined) continue;
      const held = Array.isArray(row.extra.access_group_ids) ? row.extra.access_group_ids.map(String) : [];
      const others = held.filter((one) => one !== groupId);
      await write(row.id, gets ? [...others, groupId] : others);
    }
  };
  const writeKey = (id: string, groups: string[]) =>
    mutation.update(keyResource, id, { extra: { access_group_ids: groups } });
  const writeTeam = (id: string, groups: string[]) =>
    mutation.update(teamResource, id, { extra: { access_group_ids: groups } });
  const without = (all: readonly string[], rest: readonly string[]) => all.filter((one) => !rest.includes(one));
  const key = (id: string) => keys.get(keyIdOf(id));
  const team = (id: string) => teams.get(id);
  await change(without(after.keyIds, before.keyIds), key, writeKey, true, 'Key');
  await change(without(before.keyIds, after.keyIds), key, writeKey, false, 'Key');
  await change(without(after.teamIds, before.teamIds), team, writeTeam, true, 'Team');
  await change(without(before.teamIds, after.teamIds), team, writeTeam, false, 'Team');
}

/** A group may only name what there is, and be named as no model is. Throws GatewayError otherwise. */
export function requireSoundGroup(
  snapshot: Snapshot,
  { name, models, deployments }: Pick<AccessGroupRecord, 'name' | 'models' | 'deployments'>,
): void {
  const refuse = (message: string, param: string) => new GatewayError('malformed_request', message, { param });
  if (snapshot.groups.has(name) || snapshot.aliases.has(name)) {
    throw refuse(`access_group: '${name}' is the name of a model; a group needs a name of its own.`, 'access_group');
  }
  const known = [...snapshot.groups.keys(), ...snapshot.aliases.keys(), ...snapshot.wildcards.map((one) => one.name)];
  for (const model of models) {
    if (model.includes('*') || known.includes(model)) continue;
    if (snapshot.wildcards.some((group) => group.expand(model) !== null)) continue;
    const near = nearest(model, known);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    throw refuse(`model_names: there is no model '${model.slice(0, 128)}'.${hint}`, 'model_names');
  }
  const missing = deployments.find((id) => !snapshot.deployments.has(id));
  if (missing !== undefined) throw refuse(`model_ids: there is no deployment ${missing.slice(0, 128)}.`, 'model_ids');
}

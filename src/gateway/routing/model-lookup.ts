import { GatewayError } from '../../core/errors.ts';
import type { Principal } from '../../core/identity.ts';
import { nearest } from '../../core/nearest.ts';
import type { ModelGroup, Snapshot } from '../../core/route.ts';
import { wildcardMatches } from '../../core/wildcard.ts';
import { mayUse, shown } from '../access/model-access.ts';

/** A public name resolved to the deployments behind it. */
export interface FoundModel {
  readonly group: ModelGroup;
  /** What the stars of a wildcard group matched. */
  readonly wildcardMatches: readonly string[] | null;
}

/**
 * A name of the team's own, then router alias, then the group of that name, then deployment id, then the most specific
 * wildcard; null when none.
 */
export function findModel(snapshot: Snapshot, name: string, teamId: string | null = null): FoundModel | null {
  const ofTeam = teamId === null ? undefined : snapshot.teamGroups?.get(teamId)?.get(name);
  if (ofTeam !== undefined) return foundOnce(ofTeam);
  const target = snapshot.aliases.get(name)?.group ?? name;
  const group = snapshot.groups.get(target);
  if (group !== undefined) return foundOnce(group);
  const deployment = snapshot.deployments.get(target);
  if (deployment !== undefined && !deployment.group.includes('*')) {
    return { group: { name: deployment.group, deployments: [deployment] }, wildcardMatches: null };
  }
  for (const wildcard of snapshot.wildcards) {
    const matches = wildcardMatches(wildcard.pieces, target);
    const expanded = matches === null || leadsAway(matches) ? null : wildcard.expand(target);
    if (expanded !== null) return { group: expanded, wildcardMatches: matches };
  }
  return null;
}

/** No model is called so: in the address of a provider it would ask for something else, with the operator's credential. */
const leading = /[\p{Cc}?#%\\]|(?:^|\/)\.{1,2}(?:\/|$)/u;

function leadsAway(matches: readonly string[]): boolean {
  return matches.some((match) => leading.test(match) || !match.isWellFormed());
}

const foundGroups = new WeakMap<ModelGroup, FoundModel>();

function foundOnce(group: ModelGroup): FoundModel {
  let found = foundGroups.get(group);
  if (found === undefined) {
    found = Object.freeze({ group, wildcardMatches: null });
    foundGroups.set(group, found);
  }
  return found;
}

/** Public names this principal may ask for: groups, patterns and aliases that are not hidden. */
export function visibleModels(snapshot: Snapshot, principal: Principal): string[] {
  const visible: string[] = [];
  const add = (name: string, group: ModelGroup) => {
    const inTeam = group.deployments.some(({ teamId }) => teamId === null || teamId === principal.teamId);
    if (inTeam && mayUse(principal, { asked: name, group: group.name, deployments: group.deployments }, snapshot)) {
      visible.push(name);
    }
  };
  for (const group of snapshot.groups.values()) add(group.name, group);
  for (const [name, group] of teamGroupsOf(snapshot, principal)) if (!snapshot.groups.has(name)) add(name, group);
  for (const wildcard of snapshot.wildcards) add(wildcard.name, wildcard);
  for (const [alias, { group, hidden }] of snapshot.aliases) {
    const target = snapshot.groups.get(group);
    if (!hidden && target !== undefined) add(alias, target);
  }
  for (const name of snapshot.complexityRoutes?.keys() ?? []) {
    if (mayUse(principal, { asked: name, group: name, deployments: [] }, snapshot)) visible.push(name);
  }
  return visible;
}

/** Under the names that its team has for them. */
export function teamGroupsOf(
  { teamGroups }: Snapshot,
  { teamId }: Pick<Principal, 'teamId'>,
): Iterable<[string, ModelGroup]> {
  return (teamId === null ? undefined : teamGroups?.get(teamId)) ?? [];
}

const namesTold = 20;
/** Longer ones are not a slip of the keyboard, and comparing them takes time. */
const nameLengthMax = 100;

/** The refusal of a name nobody knows: what the key may use, and the nearest of it. */
export function unknownModel(snapshot: Snapshot, principal: Principal, asked: string, path: string): GatewayError {
  if (asked.includes(',')) {
    return new GatewayError(
      'unknown_model',
      `${path}: Invalid model name passed in model=${shown(asked)}. A list of models is for OpenAI chat alone: ` +
        'send one request for each, or name the others in `fallbacks`.',
      { param: 'model' },
    );
  }
  const names = visibleModels(snapshot, principal).sort();
  const meant = nearest(asked.slice(0, nameLengthMax), names);
  const rest = names.length - namesTold;
  const list = names.slice(0, namesTold).join(', ') + (rest > 0 ? `, … ${rest} more` : '');
  const usable = names.length === 0 ? ' This key may use no model.' : ` This key may use: ${list}.`;
  return new GatewayError(
    'unknown_model',
    `${path}: Invalid model name passed in model=${shown(asked)}. ` +
      `Call \`/v1/models\` to view available models for your key.${usable}` +
      (meant === undefined ? '' : ` Did you mean '${meant}'?`),
    { param: 'model' },
  );
}

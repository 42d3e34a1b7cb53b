import type { PassThroughTarget, Snapshot } from '../../core/route.ts';
import type { DataRoute, MatchedRoute } from '../operations.ts';

/** A path below a provider's name, for what has no translation. */
export interface PassThroughPath {
  /** The provider's id or one of its aliases. */
  readonly provider: string;
  /** What stands behind it. */
  readonly rest: string;
  readonly target?: PassThroughTarget;
}

const route: DataRoute = {
  operation: 'pass_through',
  dialect: 'pass-through',
  routeGroups: ['llm_api_routes', 'pass_through_routes'],
};

/** Leads out of where the operator's address points to, however it is written. */
const leadsOut = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\]|%2f|%5c|$)/i;

const suffix = '_passthrough';

/** `/openai/v1/files`: the provider of some deployment, then a path of its own. undefined when there is none of that name. */
export function matchPassThrough(
  path: string,
  snapshot: Snapshot,
): (MatchedRoute & { passThrough: PassThroughPath }) | undefined {
  if (leadsOut.test(path)) return undefined;
  for (const target of snapshot.passThroughs ?? []) {
    const isBelow = target.includesSubpaths && path.startsWith(`${target.path}/`);
    if (path !== target.path && !isBelow) continue;
    const rest = path.slice(target.path.length);
    return { route, model: undefined, stream: undefined, passThrough: { provider: target.path, rest, target } };
  }
  const end = path.indexOf('/', 1);
  if (end < 2 || end === path.length - 1) return undefined;
  const segment = path.slice(1, end);
  const provider = segment.endsWith(suffix) ? segment.slice(0, -suffix.length) : segment;
  if (!namesOf(snapshot).has(provider)) return undefined;
  return { route, model: undefined, stream: undefined, passThrough: { provider, rest: path.slice(end) } };
}

const namesBySnapshot = new WeakMap<Snapshot, ReadonlySet<string>>();

function namesOf(snapshot: Snapshot): ReadonlySet<string> {
  let names = namesBySnapshot.get(snapshot);
  if (names === undefined) {
    const deployments = [...snapshot.deployments.values()];
    names = new Set(deployments.flatMap(({ provider }) => [provider.id, ...provider.aliases]));
    namesBySnapshot.set(snapshot, names);
  }
  return names;
}

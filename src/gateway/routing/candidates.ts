import type { CapabilityNeeds } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Identified } from '../../core/exchange.ts';
import type { Operation } from '../../core/operation.ts';
import type { Capabilities, Deployment, ModelGroup, TextPattern } from '../../core/route.ts';
import { traitsOf } from './list-traits.ts';

/** Fewer bytes a token than any real text has on average: above the limit by this measure, the input is surely too long. */
const bytesPerTokenMax = 10;

/**
 * Deployments of a group that can serve this request at all, whatever their health. Throws a GatewayError that says why
 * when there is none: unusable, not able to do what is asked, not for these tags, input too long.
 */
export function candidatesOf(identified: Identified, group: ModelGroup): readonly Deployment[] {
  const { snapshot, principal, facts } = identified;
  let candidates = usableOf(group, identified.operation);
  if (traitsOf(candidates).someHaveTeams) {
    candidates = candidates.filter(({ teamId }) => teamId === null || teamId === principal.teamId);
  }
  if (candidates.length === 0) throw noUsable(identified, group);
  candidates = capable(candidates, facts.needs, group.name);
  if (snapshot.router.tagFiltering) candidates = tagged(candidates, identified);
  return snapshot.router.preCallChecks ? longEnough(candidates, identified, group.name) : candidates;
}

const usableByGroup = new WeakMap<ModelGroup, Map<Operation, readonly Deployment[]>>();

function usableOf(group: ModelGroup, operation: Operation): readonly Deployment[] {
  let byOperation = usableByGroup.get(group);
  if (byOperation === undefined) {
    byOperation = new Map();
    usableByGroup.set(group, byOperation);
  }
  let usable = byOperation.get(operation);
  if (usable === undefined) {
    usable = group.deployments.filter(
      (deployment) => deployment.unusable === null && !deployment.blocked && deployment.operations.includes(operation),
    );
    byOperation.set(operation, usable);
  }
  return usable;
}

function noUsable(identified: Identified, group: ModelGroup): GatewayError {
  const { operation, principal } = identified;
  const mine = group.deployments.filter(({ teamId }) => teamId === null || teamId === principal.teamId);
  const reasons = new Set(
    mine.map(({ blocked, unusable, operations }) => {
      if (blocked) return 'it is blocked';
      if (unusable !== null) return unusable;
      return operations.includes(operation) ? 'it belongs to another team' : `it does not serve ${operation} requests`;
    }),
  );
  const why = reasons.size === 0 ? 'it belongs to another team' : [...reasons].slice(0, 3).join('; ');
  return new GatewayError(
    'no_capable_deployment',
    `There are no healthy deployments for this model. Passed model=${group.name}: ${why}.`,
    { param: 'model' },
  );
}

const hardNeeds = ['tools', 'vision', 'audio', 'files'] as const satisfies readonly (keyof CapabilityNeeds)[];
/** Preferred, not required: the dialects emulate these or refuse the parameter by name. */
const softNeeds = ['jsonSchema', 'reasoning'] as const satisfies readonly (keyof CapabilityNeeds)[];

const needNames: Readonly<Record<keyof Capabilities, string>> = {
  tools: 'tool calls',
  vision: 'image input',
  audio: 'audio input',
  files: 'file input',
  reasoning: 'reasoning',
  jsonSchema: 'JSON schema output',
};

function capable(all: readonly Deployment[], needs: CapabilityNeeds, groupName: string): readonly Deployment[] {
  let candidates = all;
  for (const need of hardNeeds) {
    if (!needs[need]) continue;
    candidates = able(candidates, need);
    if (candidates.length === 0) {
      const missing = hardNeeds.filter((other) => needs[other] && able(all, other).length === 0);
      const what = (missing.length === 0 ? hardNeeds.filter((other) => needs[other]) : missing)
        .map((name) => needNames[name])
        .join(' with ');
      throw new GatewayError(
        'no_capable_deployment',
        `No deployment of model=${groupName} supports ${what}, which this request needs. ` +
          'Use another model, or correct `supports_*` in its model_info.',
        { param: 'model' },
      );
    }
  }
  for (const need of softNeeds) {
    if (!needs[need]) continue;
    const preferred = able(candidates, need);
    if (preferred.length > 0) candidates = preferred;
  }
  return candidates;
}

function able(candidates: readonly Deployment[], need: keyof Capabilities): readonly Deployment[] {
  return candidates.some(({ capabilities }) => capabilities[need] === false)
    ? candidates.filter(({ capabilities }) => capabilities[need] !== false)
    : candidates;
}

const defaultTag = 'default';

/**
 * Deployments whose tags meet the request's, or whose patterns its user agent; without a meeting, those tagged `default`; an
 * untagged request without such, the untagged, else all.
 */
function tagged(candidates: readonly Deployment[], identified: Identified): readonly Deployment[] {
  const { tags, snapshot } = identified;
  const isOfCaller = ({ tagPatterns }: Deployment) => tagPatterns.length > 0 && meetsCaller(tagPatterns, identified);
  const byDefault = candidates.filter((candidate) => candidate.tags.includes(defaultTag));
  if (tags.length === 0) {
    const ofCaller = candidates.filter(isOfCaller);
    if (ofCaller.length > 0) return ofCaller;
    if (byDefault.length > 0) return byDefault;
    const untagged = candidates.filter(({ tags, tagPatterns }) => tags.length === 0 && tagPatterns.length === 0);
    return untagged.length > 0 ? untagged : candidates;
  }
  const meets = snapshot.router.tagsMatchAny
    ? (candidate: Deployment) => tags.some((tag) => candidate.tags.includes(tag))
    : (candidate: Deployment) => tags.every((tag) => candidate.tags.includes(tag));
  const meeting = candidates.filter((candidate) => meets(candidate) || isOfCaller(candidate));
  if (meeting.length > 0) return meeting;
  if (byDefault.length > 0) return byDefault;
  throw new GatewayError(
    'tag_model_denied',
    `Not allowed to access model due to tags configuration. Tags of the request: ${tags.slice(0, 10).join(', ')}.`,
  );
}

function meetsCaller(patterns: readonly TextPattern[], { headers }: Identified): boolean {
  const caller = `User-Agent: ${headers['user-agent'] ?? ''}`;
  return patterns.some((pattern) => pattern.isIn(caller));
}

/** Leaves out what the input is clearly too long for; a body with images or files says nothing about its tokens. */
function longEnough(
  candidates: readonly Deployment[],
  { facts, bytes }: Identified,
  name: string,
): readonly Deployment[] {
  const { needs } = facts;
  if (needs.vision || needs.audio || needs.files) return candidates;
  const inputTokensMin = bytes.length / bytesPerTokenMax;
  const fitting = candidates.filter(
    ({ limits }) => inputTokensMin <= (limits.inputTokensMax ?? Number.POSITIVE_INFINITY),
  );
  if (fitting.length > 0) return fitting;
  const longest = Math.max(...candidates.map(({ limits }) => limits.inputTokensMax ?? 0));
  throw new GatewayError(
    'context_window_exceeded',
    `litellm.ContextWindowExceededError: the input of ${bytes.length} bytes is more than model=${name} takes ` +
      `(${longest} tokens).`,
  );
}

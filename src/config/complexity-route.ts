import type { ComplexityRoute, ComplexityTier } from '../core/route.ts';
import { complexityWords } from './complexity-words.ts';
import type { DeploymentEntry } from './deployment-entry.ts';
import type { Path } from './diagnostic.ts';
import { isMap } from './read-file.ts';
import { type ComplexityRouter, complexityTiers } from './schema/complexity-router.ts';

/** What is no deployment but a name for several groups. */
const routerPrefix = 'auto_router/';

export function isRouter({ params }: Pick<DeploymentEntry, 'params'>): boolean {
  return params.complexity_router_config !== undefined || params.model.startsWith(routerPrefix);
}

/** The groups that a router leads to. */
export function groupsOfRouter({ params }: Pick<DeploymentEntry, 'params'>): readonly string[] {
  const { complexity_router_config: written = {} } = params;
  const otherwise = defaultOf(params);
  const inTiers = complexityTiers.flatMap((tier) => groupsOf(written.tiers?.[tier]));
  return [...new Set([...inTiers, ...(otherwise === undefined ? [] : [otherwise])])];
}

/** Undefined where it leads nowhere; `report` says why, and what of it is not active. */
export function complexityRouteOf(
  { params, group, path }: Pick<DeploymentEntry, 'params' | 'group' | 'path'>,
  report: (severity: 'skipped' | 'warning' | 'notice', path: Path, message: string) => void,
): ComplexityRoute | undefined {
  const { complexity_router_config: written = {} } = params;
  const tiers: Partial<Record<ComplexityTier, readonly string[]>> = {};
  for (const tier of complexityTiers) {
    const groups = groupsOf(written.tiers?.[tier]);
    if (groups.length > 0) tiers[tier] = groups;
  }
  const named = defaultOf(params);
  const otherwise = named ?? tiers.MEDIUM?.[0] ?? tiers.COMPLEX?.[0] ?? tiers.SIMPLE?.[0] ?? tiers.REASONING?.[0];
  if (otherwise === undefined) {
    report('skipped', [...path, 'model'], `the router leads to no model group; ${group} skipped`);
    return undefined;
  }
  if (params.complexity_router_config === undefined) {
    const message = `this router is not active yet: every request goes to ${otherwise}`;
    report('notice', [...path, 'model'], message);
  }
  const { classifier_type: classifier = 'heuristic' } = written;
  if (!classifier.startsWith('heuristic')) {
    const message = `${classifier}: not active yet, requests are measured by words and length`;
    report('notice', [...path, 'complexity_router_config', 'classifier_type'], message);
  }
  return Object.freeze({ tiers, otherwise, ...measuresOf(written) });
}

/** Routers of other kinds name theirs otherwise. */
function defaultOf(params: DeploymentEntry['params']): string | undefined {
  const { adaptive_router_config: adaptive, quality_router_config: quality } = params;
  const [first] = [adaptive, quality].flatMap((one) => (isMap(one) ? one.available_models : undefined) ?? []);
  const named = [
    ...[params.complexity_router_default_model, params.complexity_router_config?.default_model],
    ...[params.auto_router_default_model, params.adaptive_router_default_model, params.quality_router_default_model],
    first,
  ];
  return named.find((name): name is string => typeof name === 'string');
}

type Written = Partial<ComplexityRouter>;

function measuresOf(written: Written): Omit<ComplexityRoute, 'tiers' | 'otherwise'> {
  const { tier_boundaries: boundaries = {}, token_thresholds: tokens = {}, dimension_weights: weights = {} } = written;
  const { code_keywords: code, reasoning_keywords: reasoning, simple_keywords: simple } = written;
  const technical = written.technical_keywords ?? complexityWords.technical;
  return {
    boundaries: {
      simpleMedium: boundaries.simple_medium ?? 0.15,
      mediumComplex: boundaries.medium_complex ?? 0.35,
      complexReasoning: boundaries.complex_reasoning ?? 0.6,
    },
    tokens: { simple: tokens.simple ?? 15, complex: tokens.complex ?? 400 },
    weights: {
      tokenCount: weights.tokenCount ?? 0.1,
      codePresence: weights.codePresence ?? 0.3,
      reasoningMarkers: weights.reasoningMarkers ?? 0.25,
      technicalTerms: weights.technicalTerms ?? 0.25,
      simpleIndicators: weights.simpleIndicators ?? 0.05,
      multiStepPatterns: weights.multiStepPatterns ?? 0.03,
      questionComplexity: weights.questionComplexity ?? 0.02,
    },
    words: {
      code: wordPattern(code ?? complexityWords.code),
      reasoning: wordPattern(reasoning ?? complexityWords.reasoning),
      technical: wordPattern([...technical, ...(written.custom_technical_keywords ?? [])]),
      simple: wordPattern(simple ?? complexityWords.simple),
    },
    rules: (written.keyword_tier_rules ?? []).map(({ keywords, tier }) => ({ words: wordPattern(keywords), tier })),
  };
}

/** Any of the words, whole, in singular or plural; the longest of those that begin alike. */
function wordPattern(words: readonly string[]): RegExp | null {
  const escaped = words
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .toSorted((one, other) => other.length - one.length)
    .map((word) => RegExp.escape(word));
  return escaped.length === 0
    ? null
    : new RegExp(`(?<![\\p{L}\\p{N}_])(${escaped.join('|')})s?(?![\\p{L}\\p{N}_])`, 'giu');
}

type TierGroups = NonNullable<NonNullable<ComplexityRouter['tiers']>['SIMPLE']>;

function groupsOf(written: TierGroups | undefined): readonly string[] {
  const list = written === undefined ? [] : Array.isArray(written) ? written : [written];
  return list.map((one) => (typeof one === 'string' ? one : one.model_name));
}

import type { Planned } from '../../core/exchange.ts';
import type { Principal } from '../../core/identity.ts';
import type { BudgetRule, RateLimitClaim, RateLimitRule } from '../../core/limits.ts';
import type { EndUserLimits, TagLimits } from '../../core/ports.ts';
import type { Deployment } from '../../core/route.ts';
import { patternMatches } from '../../core/wildcard.ts';
import { fromStore } from '../authenticate.ts';
import type { Gateway } from '../gateway.ts';
import { withPriorityShare } from './priority-shares.ts';

/** Every limit that a request must fit. */
export interface Limits {
  readonly budgets: readonly BudgetRule[];
  readonly rates: readonly RateLimitRule[];
}

/**
 * Limits of the whole chain: key, user, team, organization; end user; tags; the gateway. Those of a deployment and its
 * provider are held when it is chosen.
 */
export function limitsOf(gateway: Gateway, planned: Planned): Limits | Promise<Limits> {
  const { endUserId, tags } = planned;
  if (endUserId === null && tags.length === 0) return combined(planned, null, []);
  const endUser = endUserId === null ? null : fromStore(() => gateway.principals.endUser(endUserId));
  const ofTags = tags.map((tag) => fromStore(() => gateway.principals.tag(tag)));
  if (endUser instanceof Promise || ofTags.some((one) => one instanceof Promise)) {
    return Promise.all([endUser, ...ofTags]).then(([first, ...rest]) =>
      combined(planned, first as EndUserLimits | null, rest as TagLimits[]),
    );
  }
  return combined(planned, endUser, ofTags as TagLimits[]);
}

function combined(planned: Planned, endUser: EndUserLimits | null, ofTags: readonly TagLimits[]): Limits {
  const { principal, model, snapshot } = planned;
  const { settings } = snapshot;
  const own = ofModel(principal.budgets, model);
  let rates = withModelDefaults(planned, ofModel(principal.rateLimits, model));
  if (settings.priorityShares) rates = withPriorityShare(planned, settings.priorityShares, rates);
  if (settings.globalRates && settings.globalRates.length > 0) rates = [...rates, ...settings.globalRates];
  if (endUser === null && ofTags.length === 0 && settings.globalBudget === null && !isAdministrator(principal)) {
    return { budgets: own, rates };
  }
  const budgets = own.slice();
  if (endUser !== null) {
    budgets.push(...ofModel(endUserBudgets(endUser, planned), model));
    rates = [...rates, ...ofModel(endUser.rateLimits, model)];
  }
  if (principal.tagLimits) {
    for (const tag of planned.tags) rates = [...rates, ...(principal.tagLimits.get(tag) ?? [])];
  }
  for (const tag of ofTags) {
    budgets.push(...ofModel(tag.budgets, model));
    if (tag.rateLimits.length > 0) rates = [...rates, ...ofModel(tag.rateLimits, model)];
  }
  if (settings.globalBudget !== null) budgets.push(settings.globalBudget);
  return isAdministrator(principal) ? { budgets: budgets.map(counting), rates: [] } : { budgets, rates };
}

const modelDefaults = new WeakMap<Deployment, Map<string, readonly RateLimitRule[]>>();
/** Beyond as many keys the rules are made anew. */
const keysRememberedMax = 10_000;

/** What the model allows each key that has no limit of its own on this model. */
function withModelDefaults(
  { principal, model, route }: Planned,
  rates: readonly RateLimitRule[],
): readonly RateLimitRule[] {
  const deployment = route.primary.candidates[0];
  if (deployment === undefined || deployment.keyLimits === null) return rates;
  let byKey = modelDefaults.get(deployment);
  if (byKey === undefined || byKey.size >= keysRememberedMax) {
    byKey = new Map();
    modelDefaults.set(deployment, byKey);
  }
  let defaults = byKey.get(principal.keyId);
  if (defaults === undefined) {
    const { rpm, tpm } = deployment.keyLimits;
    const rule = {
      scope: 'key',
      id: principal.keyId,
      label: principal.keyAlias ?? principal.keyName ?? 'key',
      model,
    } as const;
    const rules: RateLimitRule[] = [];
    if (rpm !== null) rules.push(Object.freeze({ ...rule, metric: 'requests', limit: rpm, tokens: 'total' }));
    if (tpm !== null) rules.push(Object.freeze({ ...rule, metric: 'tokens', limit: tpm, tokens: 'total' }));
    defaults = rules;
    byKey.set(principal.keyId, defaults);
  }
  const isOwn = ({ metric }: RateLimitRule) =>
    rates.some((one) => one.scope === 'key' && one.model !== null && one.metric === metric);
  return [...rates, ...defaults.filter((rule) => !isOwn(rule))];
}

function endUserBudgets(endUser: EndUserLimits, { principal, endUserId }: Planned): readonly BudgetRule[] {
  if (principal.endUserDefaults.length === 0 || endUser.budgets.some(({ cap }) => cap !== null)) return endUser.budgets;
  return principal.endUserDefaults.map((rule) => ({ ...rule, id: endUserId! }));
}

/** Limits do not bind the master key; its spend still counts. */
function isAdministrator({ kind }: Principal): boolean {
  return kind !== 'virtual_key';
}

const countingRules = new WeakMap<BudgetRule, BudgetRule>();

/** The same account without its cap. */
export function counting(rule: BudgetRule): BudgetRule {
  if (rule.cap === null) return rule;
  let without = countingRules.get(rule);
  if (without === undefined) {
    without = { ...rule, cap: null };
    countingRules.set(rule, without);
  }
  return without;
}

/** Rules without a model, and those whose model (name or pattern) is this one. */
export function ofModel<Rule extends { readonly model: string | null }>(
  rules: readonly Rule[],
  model: string,
): readonly Rule[] {
  for (let index = 0; index < rules.length; index++) {
    if (rules[index]!.model !== null) {
      return rules.filter((one) => one.model === null || patternMatches(one.model, model));
    }
  }
  return rules;
}

/** Bytes of text to one token, as a middle figure; corrected at settlement. */
const bytesPerToken = 4;
/** Reserved for an answer whose caller names no maximum, and the most reserved for one that does. */
const outputTokensAssumed = 1_024;
const outputTokensReservedMax = 4_096;

/**
 * The claims of a request: one request, one parallel slot, and for token limits an estimate (a quarter of the bytes in,
 * the caller's maximum out, up to 4,096 a choice) that settlement replaces by the truth. An estimate alone never exceeds a
 * limit: such a request waits for an empty window instead of for ever.
 */
export function claimsOf(planned: Planned, rates: readonly RateLimitRule[]): readonly RateLimitClaim[] {
  if (rates.length === 0) return noClaims;
  const { bytes, facts, operation } = planned;
  const input = Math.ceil(bytes.length / bytesPerToken);
  const oneOutput = Math.min(facts.maxOutputTokens ?? outputTokensAssumed, outputTokensReservedMax);
  const output = operation === 'chat' ? oneOutput * Math.max(1, facts.choices) : 0;
  return rates.map((rule) => ({ rule, amount: amountOf(rule, input, output) }));
}

const noClaims: readonly RateLimitClaim[] = [];

function amountOf(rule: RateLimitRule, input: number, output: number): number {
  if (rule.metric !== 'tokens') return 1;
  const tokens = rule.tokens === 'input' ? input : rule.tokens === 'output' ? output : input + output;
  return Math.min(tokens, Math.max(1, rule.limit));
}

import type { EndUserLimits, TagLimits } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/route.ts';
import type { BudgetRecord, EndUserRecord, TagRecord } from '../../core/store.ts';
import type { OwnLimits, Subject } from './limit-rules.ts';
import { budgetRules, rateLimitRules, withShared } from './limit-rules.ts';

type Defaults = Pick<GatewaySettings, 'timezone' | 'tokensLimited' | 'endUserBudgetDefault' | 'tagBudgets'>;

/** The limits of an end user; one who is not known, or has no budget, gets the default. */
export function compileEndUser(
  id: string,
  record: EndUserRecord | undefined,
  shared: BudgetRecord | undefined,
  { timezone, tokensLimited, endUserBudgetDefault: byDefault }: Defaults,
): EndUserLimits {
  const subject: Subject = { scope: 'end_user', id, label: id, timezone, tokensLimited };
  let limits: OwnLimits = withShared(record ?? {}, shared);
  if ((limits.maxBudget ?? null) === null && byDefault !== null) {
    limits = { ...limits, maxBudget: byDefault.cap, budgetDuration: limits.budgetDuration ?? byDefault.duration };
  }
  return Object.freeze({
    blocked: record?.blocked ?? false,
    budgets: Object.freeze(budgetRules(subject, limits)),
    rateLimits: Object.freeze(rateLimitRules(subject, limits)),
  });
}

/** The limits of a tag: what the store says, else what the configuration says. */
export function compileTag(
  name: string,
  record: TagRecord | undefined,
  shared: BudgetRecord | undefined,
  { timezone, tokensLimited, tagBudgets }: Defaults,
): TagLimits {
  const subject: Subject = { scope: 'tag', id: name, label: name, timezone, tokensLimited };
  const limits: OwnLimits = record === undefined ? {} : withShared(record, shared);
  const configured = tagBudgets.get(name);
  const own = (limits.maxBudget ?? null) !== null || configured === undefined || configured.length === 0;
  return Object.freeze({
    budgets: own ? Object.freeze(budgetRules(subject, limits)) : configured,
    rateLimits: Object.freeze(rateLimitRules(subject, limits)),
  });
}

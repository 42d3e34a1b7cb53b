import { accountKey } from '../../src/core/books.ts';
import type { BudgetRule } from '../../src/core/limits.ts';
import { windowOf } from '../../src/core/window.ts';

const names = new WeakMap<BudgetRule, { readonly name: string; readonly start: number; readonly end: number | null }>();

/** S12: the name of the account a rule counts in at a time, with the window that contains it. */
export function accountName(rule: BudgetRule, now: number): string {
  const known = names.get(rule);
  if (known !== undefined && now >= known.start && (known.end === null || now < known.end)) return known.name;
  const { start, end } = windowOf(rule.duration, rule.timezone, now);
  const name = `${accountKey(rule.scope, rule.id, rule.model ?? '', rule.duration ?? '')}@${start}`;
  names.set(rule, { name, start, end });
  return name;
}

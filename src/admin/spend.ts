import { accountKey } from '../core/books.ts';
import type { Scope } from '../core/identity.ts';
import type { BudgetRule } from '../core/limits.ts';
import type { Nanodollars } from '../core/money.ts';
import { normaliseDuration, windowOf } from '../core/window.ts';
import type { ControlPlane } from './control-plane.ts';

/** Something that money is counted for. */
export interface SpendSubject {
  readonly scope: Scope;
  /** Id of its account. */
  readonly id: string;
  readonly cap: Nanodollars | null;
  readonly duration: string | null;
}

export interface SpendFigures {
  /** Spent in the running window. */
  readonly spent: Nanodollars;
  /** Unix milliseconds; null when the window never ends. */
  readonly resetAt: number | null;
}

/**
 * What was spent in the running window of each subject, in their order. The store knows what every process has written
 * down, this process's ledger knows what it has not written yet: the larger of the two is the nearer one.
 */
export async function spendOf(plane: ControlPlane, subjects: readonly SpendSubject[]): Promise<SpendFigures[]> {
  if (subjects.length === 0) return [];
  const now = plane.clock.now();
  const timezone = plane.snapshot().settings.timezone;
  const refs = subjects.map((subject) => {
    const duration = normaliseDuration(subject.duration);
    const window = windowOf(duration, timezone, now);
    const key = accountKey(subject.scope, subject.id, '', duration ?? '');
    return { key, windowStart: window.start, end: window.end, duration };
  });
  const stored = new Map(
    (await plane.store.accounts.balances(refs)).map((row) => [`${row.key}@${row.windowStart}`, row.spent]),
  );
  return subjects.map((subject, index) => {
    const ref = refs[index]!;
    const live = plane.ledger.balance(ruleOf(subject, ref.duration, timezone)).spent;
    return { spent: Math.max(live, stored.get(`${ref.key}@${ref.windowStart}`) ?? 0), resetAt: ref.end };
  });
}

function ruleOf(subject: SpendSubject, duration: string | null, timezone: string): BudgetRule {
  return {
    scope: subject.scope,
    id: subject.id,
    model: null,
    cap: subject.cap,
    softCap: null,
    duration,
    timezone,
    increase: null,
    label: subject.id,
  };
}

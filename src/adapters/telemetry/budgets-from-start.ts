import { accountKey } from '../../core/books.ts';
import type { BudgetRule } from '../../core/limits.ts';
import type { Ledger, PrincipalSource } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/route.ts';
import type { Repositories } from '../../core/store.ts';
import { windowOf } from '../../core/window.ts';
import { budgetRules, withShared } from '../principals/limit-rules.ts';
import type { BudgetMetrics } from './budget-metrics.ts';

export interface StoredBudgets {
  readonly store: Pick<Repositories, 'keys' | 'teams' | 'budgets'>;
  readonly principals: Pick<PrincipalSource, 'find'>;
  readonly ledger: Pick<Ledger, 'balance' | 'reread'>;
  readonly metrics: Pick<BudgetMetrics, 'learn' | 'learnTeam'>;
  readonly now: () => number;
  readonly settings: () => Pick<GatewaySettings, 'timezone' | 'tokensLimited'>;
}

const pageSize = 200;
/** What the metrics hold at most. */
const subjectsMax = 5_000;

/** `prometheus_initialize_budget_metrics`: what is left of stored budgets is told before their first request. */
export async function learnStoredBudgets({
  store,
  principals,
  ledger,
  metrics,
  now,
  settings,
}: StoredBudgets): Promise<void> {
  const read = async (rules: readonly BudgetRule[]) => {
    for (const rule of rules) ledger.balance(rule);
    await ledger.reread(
      rules.map(({ scope, id, model, duration, timezone }) => ({
        key: accountKey(scope, id, model ?? '', duration ?? ''),
        windowStart: windowOf(duration, timezone, now()).start,
      })),
    );
  };
  for (let offset = 0; offset < subjectsMax; offset += pageSize) {
    const keys = await store.keys.list({ limit: pageSize, offset });
    if (keys.length === 0) break;
    const found = await Promise.all(keys.map(({ id }) => principals.find(id)));
    const capped = found.flatMap(
      // A key's metrics tell its team's budget too.
      (one) => one?.budgets.filter(({ scope, cap }) => (scope === 'key' || scope === 'team') && cap !== null) ?? [],
    );
    // Learned before it is read, a budget would be told as unspent.
    await read(capped);
    for (const principal of found) if (principal !== undefined) metrics.learn(principal);
  }
  for (let offset = 0; offset < subjectsMax; offset += pageSize) {
    const teams = await store.teams.list({ limit: pageSize, offset });
    if (teams.length === 0) break;
    const capped: { team: (typeof teams)[number]; rule: BudgetRule }[] = [];
    for (const team of teams) {
      const shared = team.budgetId === null ? undefined : await store.budgets.get(team.budgetId);
      const subject = { scope: 'team', id: team.id, label: team.id, ...settings() } as const;
      const rule = budgetRules(subject, withShared(team, shared)).find(
        ({ cap, model }) => cap !== null && model === null,
      );
      if (rule === undefined) continue;
      capped.push({ team, rule });
    }
    await read(capped.map(({ rule }) => rule));
    for (const { team, rule } of capped) metrics.learnTeam(team.id, team.alias, rule);
  }
}

import { expect, it } from 'vitest';
import { budget, principal } from '../../../test/builders.ts';
import type { BudgetRule } from '../../core/limits.ts';
import { metricSettingsDefault } from '../../core/sink-settings.ts';
import { BudgetMetrics } from './budget-metrics.ts';
import { learnStoredBudgets, type StoredBudgets } from './budgets-from-start.ts';

const cap = 10_000_000_000;
const team = { id: 'blue', alias: 'Blue', budgetId: null, maxBudget: cap };

it('tells no budget before what was spent of it is read', async () => {
  const read = new Set<string>();
  const balance = ({ id }: Pick<BudgetRule, 'id'>) => ({ spent: read.has(id) ? 4_000_000_000 : 0, resetAt: null });
  const metrics = new BudgetMetrics(metricSettingsDefault, {
    balance: balance as never,
    deployments: () => [],
    now: () => 0,
  });
  const told: string[] = [];
  const look = () => {
    for (const family of metrics.families()) {
      for (const { labels, series } of family.touched()) {
        if (family.name.includes('_remaining_') && family.name.endsWith('budget_metric')) {
          told.push(`${labels[0]} ${(series as { value: number }).value}`);
        }
      }
    }
  };
  const budgets = [budget({ scope: 'key', id: 'key', cap }), budget({ scope: 'team', id: 'blue', cap })];
  const known = principal({ keyId: 'key', teamId: 'blue', budgets });
  const page = <Row>(rows: Row[]) => ({ list: async ({ offset }: { offset: number }) => (offset === 0 ? rows : []) });
  await learnStoredBudgets({
    store: { keys: page([{ id: 'key' }]), teams: page([team]) } as unknown as StoredBudgets['store'],
    principals: { find: async () => known },
    ledger: {
      balance: balance as never,
      async reread(accounts) {
        look();
        await Promise.resolve();
        look();
        for (const { key } of accounts) read.add(key.includes('blue') ? 'blue' : 'key');
      },
    },
    metrics: {
      learn: (one) => {
        metrics.learn(one);
        look();
      },
      learnTeam: (...one) => {
        metrics.learnTeam(...one);
        look();
      },
    },
    now: () => 0,
    settings: () => ({ timezone: 'UTC', tokensLimited: 'total' }),
  });
  look();
  expect(new Set(told)).toEqual(new Set(['key 6', 'blue 6']));
});

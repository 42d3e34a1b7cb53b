import { GatewayError } from '../core/errors.ts';
import type { BudgetRecord } from '../core/store.ts';
import type { Mutation, Resource } from './resource.ts';
import { administratorsOnly, auditedRow } from './resource.ts';

/** Limits that several keys, customers, organizations, users and tags share the figures of. */
export const budgetResource: Resource<BudgetRecord> = {
  name: 'budget',
  repository: (repositories) => repositories.budgets,
  ownership: administratorsOnly,
  scope: 'budget',
  bounds: [],
  extraBounds: [],
  audited: auditedRow,
};

/** A budget that something still refers to stays: its removal would silently lift the limit. */
export async function refuseBudgetInUse(mutation: Mutation, budgetId: string): Promise<void> {
  const { keys, teams, users, organizations, endUsers, tags } = mutation.repositories;
  const where = { budgetId };
  const counts = await Promise.all([
    keys.count({ where }),
    teams.count({ where }),
    users.count({ where }),
    organizations.count({ where }),
    endUsers.count({ where }),
    tags.count({ where }),
  ]);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > 0)
    throw new GatewayError(
      'malformed_request',
      `Budget ${budgetId} is used by ${total} keys, teams, users, organizations, customers or tags: give them another budget first.`,
      { param: 'id' },
    );
}

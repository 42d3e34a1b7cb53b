import type { Nanodollars } from '../../src/core/money.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';

/**
 * What a record must add to an account: everything, or, on the budget of a deployment or provider, what was bought
 * there. Written down a second time on purpose.
 */
export function shareExpected(accountName: string, record: RequestRecord): Nanodollars {
  const [scope, id] = accountName.split('|');
  if (scope !== 'deployment' && scope !== 'provider') return record.cost;
  const field = scope === 'deployment' ? 'deploymentId' : 'provider';
  const charged = record.attempts.reduce((sum, attempt) => sum + attempt.charged, 0);
  const here = record.attempts.reduce((sum, attempt) => sum + (attempt[field] === id ? attempt.charged : 0), 0);
  return here + (record[field] === id ? record.cost - charged : 0);
}

import type { Planned } from '../../core/exchange.ts';
import type { RateLimitRule } from '../../core/limits.ts';
import type { Deployment } from '../../core/route.ts';

type Shares = ReadonlyMap<string, number>;

/**
 * What is reserved for the keys of one priority nobody else can use: the keys of each priority, and those of none, together
 * get the `rpm` and `tpm` of the model's deployments but for what is reserved for the others.
 */
export function withPriorityShare(
  { principal, model, route }: Planned,
  shares: Shares,
  rates: readonly RateLimitRule[],
): readonly RateLimitRule[] {
  const { candidates } = route.primary;
  const written = principal.metadata.priority;
  const priority = typeof written === 'string' && shares.has(written) ? written : null;
  return candidates.length === 0 ? rates : [...rates, ...rulesOf(candidates, model, priority, shares)];
}

const made = new WeakMap<Deployment, Map<string, readonly RateLimitRule[]>>();

function rulesOf(
  candidates: readonly Deployment[],
  model: string,
  priority: string | null,
  shares: Shares,
): readonly RateLimitRule[] {
  let known = made.get(candidates[0]!);
  if (known === undefined) {
    known = new Map();
    made.set(candidates[0]!, known);
  }
  const name = JSON.stringify([model, priority, candidates.length, ...shares]);
  let rules = known.get(name);
  if (rules === undefined) {
    const share = shareLeft(shares, priority);
    const label = priority === null ? 'keys without priority' : `keys of priority ${priority}`;
    const base = { scope: 'model', id: label, label, model, tokens: 'total' } as const;
    const rule = (metric: 'requests' | 'tokens', sum: number | null): RateLimitRule[] =>
      sum === null ? [] : [Object.freeze({ ...base, metric, limit: Math.max(1, Math.floor(sum * share)) })];
    rules = [...rule('requests', sumOf(candidates, 'rpm')), ...rule('tokens', sumOf(candidates, 'tpm'))];
    known.set(name, rules);
  }
  return rules;
}

/** In millionths, so that shares that make up a whole leave nothing, not a bit of a bit. */
function shareLeft(shares: Shares, priority: string | null): number {
  let left = 1_000_000;
  for (const [name, share] of shares) if (name !== priority) left -= Math.round(share * 1_000_000);
  return Math.max(0, left) / 1_000_000;
}

/** null where one of them has no limit: together they have none. */
function sumOf(candidates: readonly Deployment[], rate: 'rpm' | 'tpm'): number | null {
  let sum = 0;
  for (const candidate of candidates) {
    const limit = candidate[rate];
    if (limit === null) return null;
    sum += limit;
  }
  return sum;
}

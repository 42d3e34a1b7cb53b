import type { RateLimitClaim, RateLimitRule } from '../../core/limits.ts';

interface Share {
  readonly replicas: number;
  readonly rule: RateLimitRule;
}

const shares = new WeakMap<RateLimitRule, Share>();

/** What one of `replicas` may use of a limit: an equal part, at least 1, and 0 of 0. */
export function shareOf(claim: RateLimitClaim, replicas: number): RateLimitClaim {
  if (replicas <= 1) return claim;
  const { rule, amount } = claim;
  let share = shares.get(rule);
  if (share === undefined || share.replicas !== replicas) {
    const limit = rule.limit <= 0 ? rule.limit : Math.max(1, Math.floor(rule.limit / replicas));
    share = { replicas, rule: { ...rule, limit } };
    shares.set(rule, share);
  }
  // An estimate alone must not exceed the share, or the request would never fit.
  const most = rule.metric === 'tokens' ? Math.max(1, share.rule.limit) : amount;
  return { rule: share.rule, amount: Math.min(amount, most) };
}

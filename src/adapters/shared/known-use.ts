import type { RateLimitRule } from '../../core/limits.ts';

interface Known {
  /** Counted over all replicas when Redis last spoke of it. */
  used: number;
  tick: number;
  /** Admitted here since then, without asking. */
  alone: number;
}

const windowMs = 60_000;
/** Slots for parallel requests change hands faster than a window empties. */
const parallelMs = 5_000;
const entriesMax = 50_000;

/**
 * What Redis last said about each limit. For as long as that may still be in the window, a replica that cannot ask takes no more than
 * its part of what was left: when all fall at once, they take together what was left and not more, whoever had used the rest.
 */
export class KnownUse {
  readonly #byRule = new Map<string, Known>();

  saw(rule: RateLimitRule, used: number, tick: number): void {
    const name = nameOf(rule);
    const known = this.#byRule.get(name);
    if (known !== undefined) {
      known.used = used;
      known.tick = tick;
      known.alone = 0;
      return;
    }
    if (this.#byRule.size >= entriesMax) this.#forgetOld(tick);
    if (this.#byRule.size < entriesMax) this.#byRule.set(name, { used, tick, alone: 0 });
  }

  /** Not null when the amount is more than this replica's part: what is in use, and how long that may last. */
  beyond(rule: RateLimitRule, amount: number, replicas: number, tick: number): { used: number; waitMs: number } | null {
    const known = this.#byRule.get(nameOf(rule));
    if (known === undefined) return null;
    const leftMs = known.tick + (rule.metric === 'parallel' ? parallelMs : windowMs) - tick;
    const part = Math.floor(Math.max(0, rule.limit - known.used) / Math.max(1, replicas));
    if (leftMs <= 0 || known.alone + amount <= part) return null;
    return { used: known.used + known.alone, waitMs: Math.ceil(leftMs) };
  }

  /** Is there word that may still be in the window? */
  has(rule: RateLimitRule, tick: number): boolean {
    const known = this.#byRule.get(nameOf(rule));
    return known !== undefined && tick - known.tick < windowMs;
  }

  took(rule: RateLimitRule, amount: number): void {
    const known = this.#byRule.get(nameOf(rule));
    if (known !== undefined) known.alone += amount;
  }

  #forgetOld(tick: number): void {
    for (const [name, { tick: seen }] of this.#byRule) if (tick - seen >= windowMs) this.#byRule.delete(name);
  }
}

const names = new WeakMap<RateLimitRule, string>();

/** The same limit may come as another object when its key is read again. */
function nameOf(rule: RateLimitRule): string {
  let name = names.get(rule);
  if (name === undefined) {
    const { scope, id, model, metric, tokens } = rule;
    name = JSON.stringify([scope, id, model, metric, tokens]);
    names.set(rule, name);
  }
  return name;
}

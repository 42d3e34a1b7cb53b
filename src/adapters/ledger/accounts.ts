import { accountKey } from '../../core/books.ts';
import type { BudgetRule } from '../../core/limits.ts';
import { type Nanodollars, nanodollarsMax } from '../../core/money.ts';
import { normaliseDuration, windowOf } from '../../core/window.ts';
import { Account } from './account.ts';
import { Chain } from './chain.ts';
import { Hold } from './hold.ts';

/** The accounts this process has touched, found by rule without building a key on the way. */
export class Accounts {
  readonly #byKey = new Map<string, Account>();
  readonly #byRule = new WeakMap<BudgetRule, Account>();
  /** Those that may have a lease in the store: few of all that were touched. */
  readonly leasing = new Set<Account>();
  #count = 0;
  #sweep: Iterator<Account> | null = null;

  /** The account a rule counts in now. */
  of(rule: BudgetRule, now: number): Account {
    const known = this.#byRule.get(rule);
    if (known?.isCurrent(now)) return known;
    const duration = normaliseDuration(rule.duration);
    const window = windowOf(duration, rule.timezone, now);
    const spec = {
      key: accountKey(rule.scope, rule.id, rule.model ?? '', duration ?? ''),
      windowStart: window.start,
      scope: rule.scope,
      id: rule.id,
      model: rule.model ?? '',
      duration: duration ?? '',
    };
    const name = `${spec.key}@${spec.windowStart}`;
    let account = this.#byKey.get(name);
    if (account === undefined) {
      this.#count += 1;
      account = new Account(spec, window.end, this.#count);
      this.#byKey.set(name, account);
    }
    this.#byRule.set(rule, account);
    return account;
  }

  /** A hold of nothing yet on what a list of rules counts in. */
  hold(requestId: string, rules: readonly BudgetRule[], now: number): Hold {
    return new Hold(requestId, rules.length === 0 ? noChain : this.#chain(rules, now));
  }

  /** Requests of one key come with one list: what was made of it last is kept where the list begins. */
  #chain(rules: readonly BudgetRule[], now: number): Chain {
    const first = this.of(rules[0]!, now);
    const known = first.chain;
    if (known !== null && known.of === rules && known.takeUp(now)) return known;
    const chain = this.#chainOf(rules, now);
    first.chain = chain;
    return chain;
  }

  #chainOf(rules: readonly BudgetRule[], now: number): Chain {
    const accounts: Account[] = [];
    const strictest: BudgetRule[] = [];
    const caps: (Nanodollars | null)[] = [];
    for (const rule of rules) {
      const account = this.of(rule, now);
      const cap = capAt(rule, now);
      account.usedAt = now;
      const at = accounts.indexOf(account);
      if (at < 0) {
        accounts.push(account);
        strictest.push(rule);
        caps.push(cap);
        account.cap = cap;
      } else if (cap !== null && (caps[at] === null || cap < caps[at]!)) {
        strictest[at] = rule;
        caps[at] = cap;
        account.cap = cap;
      }
    }
    return new Chain(rules, accounts, strictest, caps);
  }

  find(key: string, windowStart: number): Account | undefined {
    return this.#byKey.get(`${key}@${windowStart}`);
  }

  all(): IteratorObject<Account> {
    return this.#byKey.values();
  }

  /** Some of them, others the next time, so that a look at all of them never takes long at once. */
  *some(max: number): Generator<Account> {
    for (let count = 0; count < max; count++) {
      this.#sweep ??= this.#byKey.values();
      const { done, value } = this.#sweep.next();
      if (done === true) {
        this.#sweep = null;
        return;
      }
      yield value;
    }
  }

  /** Forgets an account that holds nothing. */
  drop(account: Account): void {
    account.dropped = true;
    this.leasing.delete(account);
    this.#byKey.delete(`${account.key}@${account.windowStart}`);
  }

  get size(): number {
    return this.#byKey.size;
  }
}

const noChain = new Chain([], [], [], []);

/** The cap in force: temporary increases count until they end. Never more than a figure of the books can hold. */
export function capAt(rule: BudgetRule, now: number): Nanodollars | null {
  if (rule.cap === null || rule.increase === null || now >= rule.increase.until) return rule.cap;
  return Math.min(nanodollarsMax, rule.cap + rule.increase.amount);
}

import type { Principal } from '../../src/core/identity.ts';
import type { BudgetRule, RateLimitRule } from '../../src/core/limits.ts';
import type { Nanodollars } from '../../src/core/money.ts';
import type { EndUserLimits, PrincipalSource, TagLimits } from '../../src/core/ports.ts';
import { keyIdOf } from '../../src/gateway/access/credential.ts';
import { budget, principal, rateLimit } from '../builders.ts';
import type { SeededChance } from './seeded-chance.ts';

export interface Key {
  readonly name: string;
  readonly secret: string;
  readonly keyId: string;
  team: string;
  /** Simulated milliseconds since when it may not be used; null = it may. */
  revokedAt: number | null;
}

type Subject = 'key' | 'team' | 'organization' | 'user' | 'tag' | 'global';

const durations = [null, '1m', '5m', '1d'];

/** Who may spend what: keys in teams in an organization, a user and a tag, each with a budget that may change. */
export class Tenants {
  readonly keys: readonly Key[];
  /** One or two rules for each subject. */
  readonly #rules = new Map<string, BudgetRule[]>();
  readonly #rates: ReadonlyMap<string, readonly RateLimitRule[]>;
  readonly #chance: SeededChance;
  #compiled = new Map<string, Principal>();
  #all: readonly BudgetRule[] = [];

  constructor(chance: SeededChance, hasRates = true) {
    this.#chance = chance;
    this.keys = ['k1', 'k2', 'k3', 'k4'].map((name, index) => {
      const secret = `sk-simulated-key-${name}`;
      return { name, secret, keyId: keyIdOf(secret), team: `t${1 + (index % 2)}`, revokedAt: null };
    });
    for (const { name } of this.keys) this.#open('key', name, chance.happens(0.3) ? 2 : 1);
    for (const team of ['t1', 't2']) this.#open('team', team, 1);
    this.#open('organization', 'o1', 1);
    this.#open('user', 'u1', 1);
    this.#open('tag', 'night', 1);
    const rates = new Map([
      ['k1', chance.happens(0.3) ? [rateLimit({ id: 'k1', metric: 'requests', limit: chance.between(2, 12) })] : []],
      ['k2', chance.happens(0.3) ? [rateLimit({ id: 'k2', metric: 'parallel', limit: chance.between(1, 4) })] : []],
      ['k3', chance.happens(0.3) ? [rateLimit({ id: 'k3', metric: 'tokens', limit: chance.between(300, 9_000) })] : []],
    ]);
    this.#rates = hasRates ? rates : new Map();
  }

  #open(scope: Subject, id: string, count: number): void {
    const rules = Array.from({ length: count }, (_, index) =>
      budget({
        scope,
        id,
        label: id,
        timezone: 'Europe/Berlin',
        cap: this.#chance.happens(0.7) ? this.anyCap() : null,
        duration: count === 2 ? [null, '1m'][index]! : this.#chance.pick(durations),
      }),
    );
    this.#rules.set(`${scope} ${id}`, rules);
  }

  anyCap(): Nanodollars {
    return (
      this.#chance.pick([0, 5_000, 20_000, 100_000, 100_000, 1_000_000, 1_000_000, 1_000_000]) +
      this.#chance.between(0, 3_000)
    );
  }

  /** Of everybody, as they stand now. */
  get rules(): readonly BudgetRule[] {
    if (this.#all.length === 0) this.#all = [...this.#rules.values()].flat();
    return this.#all;
  }

  /** Puts another rule in the place of one. */
  change(old: BudgetRule, next: BudgetRule): void {
    const rules = this.#rules.get(`${old.scope} ${old.id}`)!;
    rules[rules.indexOf(old)] = next;
    this.changed();
  }

  changed(): void {
    this.#all = [];
    this.#compiled = new Map();
  }

  /** What the store says of everybody now; a new object after each change. */
  get compiled(): ReadonlyMap<string, Principal> {
    if (this.#compiled.size === 0) {
      for (const key of this.keys) this.#compiled.set(key.keyId, this.#compile(key));
      this.#compiled.set('night', principal({ budgets: this.#rules.get('tag night')! }));
    }
    return this.#compiled;
  }

  #compile({ name, keyId, team, revokedAt }: Key): Principal {
    const inOrganization = team === 't1';
    const hasUser = name === 'k1' || name === 'k4';
    return principal({
      keyId,
      keyAlias: name,
      teamId: team,
      userId: hasUser ? 'u1' : null,
      organizationId: inOrganization ? 'o1' : null,
      blocked: revokedAt === null ? null : 'key',
      tags: name === 'k4' ? ['night'] : [],
      budgets: [
        ...this.#rules.get(`key ${name}`)!,
        ...(hasUser ? this.#rules.get('user u1')! : []),
        ...this.#rules.get(`team ${team}`)!,
        ...(inOrganization ? this.#rules.get('organization o1')! : []),
      ],
      rateLimits: this.#rates.get(name) ?? [],
    });
  }
}

const noLimits: EndUserLimits & TagLimits = { blocked: false, budgets: [], rateLimits: [] };

/** What one process believes of the tenants: it hears of a change within a second. */
export class TenantView implements PrincipalSource {
  principals: ReadonlyMap<string, Principal>;

  constructor(tenants: Tenants) {
    this.principals = tenants.compiled;
  }

  find(keyId: string): Principal | undefined {
    return this.principals.get(keyId);
  }

  endUser(): EndUserLimits {
    return noLimits;
  }

  tag(name: string): TagLimits {
    return { budgets: this.principals.get(name)?.budgets ?? [], rateLimits: [] };
  }

  invalidate(): void {}
}

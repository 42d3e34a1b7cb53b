import type { Received, Settled } from '../../core/exchange.ts';
import type { Principal } from '../../core/identity.ts';
import type { BudgetRule } from '../../core/limits.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { AccountBalance, RecordSink } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { Deployment } from '../../core/route.ts';
import type { MetricSettings } from '../../core/sink-settings.ts';
import type { MetricSource } from './exposition.ts';
import type { Family, Gauge } from './registry.ts';
import { familyMaker } from './request-families.ts';

export interface BudgetReadings {
  balance(rule: BudgetRule): AccountBalance;
  deployments(): Iterable<Deployment>;
  now(): number;
}

interface Subject {
  readonly labels: readonly string[];
  readonly rule: BudgetRule;
}

type BudgetFamilies = Readonly<Record<'cap' | 'left' | 'hours', Gauge>>;

const subjectsMax = 5_000;

/** What is left of the budgets of keys and teams that were seen, and of providers. */
export class BudgetMetrics implements MetricSource, RecordSink {
  readonly #readings: BudgetReadings;
  readonly #seen = new WeakSet<Principal>();
  readonly #keys = new Map<string, Subject>();
  readonly #teams = new Map<string, Subject>();
  readonly #families;

  constructor(settings: MetricSettings, readings: BudgetReadings) {
    this.#readings = readings;
    const { gauge } = familyMaker(settings);
    const of = (name: string, labels: readonly string[]) => ({
      cap: gauge(`litellm_${name}_max_budget_metric`, 'Hard budget in dollars.', labels),
      left: gauge(`litellm_remaining_${name}_budget_metric`, 'Dollars of the budget that are not spent.', labels),
      hours: gauge(`litellm_${name}_budget_remaining_hours_metric`, 'Hours until the budget starts anew.', labels),
    });
    this.#families = {
      key: of('api_key', ['hashed_api_key', 'api_key_alias']),
      team: of('team', ['team', 'team_alias']),
      provider: gauge('litellm_provider_remaining_budget_metric', 'Dollars left of what a provider may cost.', [
        'api_provider',
      ]),
    };
  }

  record(_record: RequestRecord, journey: Received | null): void {
    const principal = (journey as Partial<Settled> | null)?.principal;
    if (principal === undefined || this.#seen.has(principal)) return;
    this.#seen.add(principal);
    this.learn(principal);
  }

  /** Takes over what a principal's budgets are now. */
  learn(principal: Principal): void {
    const { keyId, keyAlias, teamId, teamAlias, budgets } = principal;
    const of = (scope: BudgetRule['scope']) =>
      budgets.find((rule) => rule.scope === scope && rule.cap !== null && rule.model === null);
    keep(this.#keys, keyId, [keyId, keyAlias ?? ''], of('key'));
    if (teamId !== null) keep(this.#teams, teamId, [teamId, teamAlias ?? ''], of('team'));
  }

  learnTeam(teamId: string, alias: string | null, rule: BudgetRule): void {
    keep(this.#teams, teamId, [teamId, alias ?? ''], rule);
  }

  families(): Family<unknown>[] {
    const { key, team, provider } = this.#families;
    this.#read(key, this.#keys);
    this.#read(team, this.#teams);
    provider.clear();
    for (const { budgets } of this.#readings.deployments()) {
      for (const rule of budgets) {
        if (rule.scope !== 'provider' || rule.cap === null) continue;
        provider.series([rule.id]).value = dollarsFromNanodollars(left(rule, this.#readings.balance(rule)));
      }
    }
    return [...Object.values(key), ...Object.values(team), provider];
  }

  #read(families: BudgetFamilies, subjects: ReadonlyMap<string, Subject>): void {
    const now = this.#readings.now();
    for (const family of Object.values(families)) family.clear();
    for (const { labels, rule } of subjects.values()) {
      const balance = this.#readings.balance(rule);
      families.cap.series(labels).value = dollarsFromNanodollars(rule.cap ?? 0);
      families.left.series(labels).value = dollarsFromNanodollars(left(rule, balance));
      if (balance.resetAt !== null) {
        families.hours.series(labels).value = Math.max(0, balance.resetAt - now) / 3_600_000;
      }
    }
  }
}

function keep(
  subjects: Map<string, Subject>,
  id: string,
  labels: readonly string[],
  rule: BudgetRule | undefined,
): void {
  if (rule === undefined) subjects.delete(id);
  else if (subjects.has(id) || subjects.size < subjectsMax) subjects.set(id, { labels, rule });
}

function left(rule: BudgetRule, { spent }: AccountBalance): number {
  return Math.max(0, (rule.cap ?? 0) - spent);
}

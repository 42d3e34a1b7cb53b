import type { Principal } from '../core/identity.ts';
import type { Clock, EndUserLimits, PrincipalSource, TagLimits } from '../core/ports.ts';
import type { Snapshot } from '../core/route.ts';
import type { Repositories } from '../core/store.ts';
import type { Chain } from './principals/compile-principal.ts';
import { compilePrincipal } from './principals/compile-principal.ts';
import { compileEndUser, compileTag } from './principals/end-user-and-tag.ts';
import type { Loaded } from './principals/fresh-cache.ts';
import { FreshCache } from './principals/fresh-cache.ts';
import { loadChain } from './principals/load-principal.ts';

export interface PrincipalOptions {
  readonly store: Repositories;
  readonly clock: Pick<Clock, 'tick'>;
  /** The configuration now in force. */
  readonly snapshot: () => Pick<Snapshot, 'version' | 'settings'>;
  /** Upper bound of the age of what is used when nobody tells of a change; 60,000 when left out. */
  readonly ttlMs?: number;
  /** Whether what was known is used on while the store is away; never when left out. */
  readonly servesStale?: () => boolean;
}

/** Settings that what is compiled depends on. */
const defaultNames = [
  'timezone',
  'tokensLimited',
  'endUserBudgetId',
  'endUserBudgetDefault',
  'internalUserBudgetDefault',
  'keyParallelMax',
  'serviceAccountParams',
  'teamLogging',
] as const;
/** Between a key and the user in whose hands it is; no id of a key holds it. */
const ofUser = ' ';
const entriesMax = 50_000;
const absentMax = 10_000;
const absentTtlMs = 5_000;

/** Principals compiled from the store, cached. */
export class StorePrincipals implements PrincipalSource {
  readonly #options: PrincipalOptions;
  readonly #keys: FreshCache<Principal | undefined>;
  readonly #endUsers: FreshCache<EndUserLimits>;
  readonly #tags: FreshCache<TagLimits>;
  #version = Number.NaN;
  #defaults = '';

  constructor(options: PrincipalOptions) {
    this.#options = options;
    const cache = <Value>(load: (key: string) => Promise<Loaded<Value>>) =>
      new FreshCache<Value>({
        load,
        tick: () => options.clock.tick(),
        ttlMs: options.ttlMs ?? 60_000,
        entriesMax,
        isAbsent: (value) => value === undefined,
        absentMax,
        absentTtlMs,
        servesStale: options.servesStale,
      });
    this.#keys = cache((keyId) => this.#loadKey(keyId));
    this.#endUsers = cache((id) => this.#loadEndUser(id));
    this.#tags = cache((name) => this.#loadTag(name));
  }

  find(keyId: string, userId?: string): Principal | undefined | Promise<Principal | undefined> {
    this.#followSettings();
    return this.#keys.get(userId === undefined ? keyId : `${keyId}${ofUser}${userId}`);
  }

  endUser(id: string): EndUserLimits | Promise<EndUserLimits> {
    this.#followSettings();
    return this.#endUsers.get(id);
  }

  tag(name: string): TagLimits | Promise<TagLimits> {
    this.#followSettings();
    return this.#tags.get(name);
  }

  invalidate(what: { readonly scope: string; readonly id: string } | null): void {
    const source = what === null ? null : sourceOf(what.scope, what.id);
    for (const cache of [this.#keys, this.#endUsers, this.#tags]) cache.forget(source);
  }

  /** Most reloads change models and routes only; what was compiled stays good unless its defaults changed. */
  #followSettings(): void {
    const { version, settings } = this.#options.snapshot();
    if (version === this.#version) return;
    this.#version = version;
    const { tagBudgets } = settings;
    const defaults = JSON.stringify([...defaultNames.map((name) => settings[name] ?? null), [...tagBudgets]]);
    if (defaults === this.#defaults) return;
    this.#defaults = defaults;
    this.invalidate(null);
  }

  async #loadKey(name: string): Promise<Loaded<Principal | undefined>> {
    const [keyId = '', ...user] = name.split(ofUser);
    const chain = await loadChain(this.#options.store, keyId, user.length === 0 ? undefined : user.join(ofUser));
    if (chain === undefined) return { value: undefined, sources: [sourceOf('key', keyId)] };
    return { value: compilePrincipal(chain, this.#options.snapshot().settings), sources: sourcesOf(chain) };
  }

  async #loadEndUser(id: string): Promise<Loaded<EndUserLimits>> {
    const { store, snapshot } = this.#options;
    const record = await store.endUsers.get(id);
    const budgetId = record?.budgetId ?? snapshot().settings.endUserBudgetId;
    const shared = await this.#sharedBudget(budgetId);
    return {
      value: compileEndUser(id, record, shared, snapshot().settings),
      sources: [sourceOf('end_user', id), ...budgetSource(budgetId)],
    };
  }

  async #loadTag(name: string): Promise<Loaded<TagLimits>> {
    const { store, snapshot } = this.#options;
    const record = await store.tags.get(name);
    const shared = await this.#sharedBudget(record?.budgetId);
    return {
      value: compileTag(name, record, shared, snapshot().settings),
      sources: [sourceOf('tag', name), ...budgetSource(record?.budgetId)],
    };
  }

  async #sharedBudget(id: string | null | undefined) {
    return id === null || id === undefined ? undefined : await this.#options.store.budgets.get(id);
  }
}

function sourceOf(scope: string, id: string): string {
  return `${scope}|${id}`;
}

function budgetSource(id: string | null | undefined): string[] {
  return id === null || id === undefined ? [] : [sourceOf('budget', id)];
}

/** Everything whose change makes the principal out of date, also what does not exist yet. */
function sourcesOf({ key, user, team, project, projectId, organization, organizationId }: Chain): string[] {
  const sources = [sourceOf('key', key.id)];
  if (key.userId !== null) sources.push(sourceOf('user', key.userId));
  if (key.teamId !== null) sources.push(sourceOf('team', key.teamId));
  if (key.userId !== null && key.teamId !== null) sources.push(sourceOf('team_member', `${key.teamId}/${key.userId}`));
  if (organizationId !== null) sources.push(sourceOf('organization', organizationId));
  if (projectId !== null) sources.push(sourceOf('project', projectId));
  for (const one of [key, user, team, project, organization]) sources.push(...budgetSource(one?.budgetId));
  return sources;
}

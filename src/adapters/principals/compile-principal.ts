import type { ModelAccessRule, Principal, Role } from '../../core/identity.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { isJsonObject } from '../../core/json.ts';
import type { BudgetRule, RateLimitRule } from '../../core/limits.ts';
import type { GatewaySettings } from '../../core/route.ts';
import type {
  BudgetRecord,
  KeyRecord,
  MembershipRecord,
  OrganizationRecord,
  ProjectRecord,
  TeamRecord,
  UserRecord,
} from '../../core/store.ts';
import { keyAccountId } from '../../core/store.ts';
import type { OwnLimits, Subject } from './limit-rules.ts';
import { budgetRules, rateLimitRules, textsIn, withShared } from './limit-rules.ts';
import { sinkRules } from './sink-rules.ts';

/** Everything that the store knows on the way from a key up. */
export interface Chain {
  readonly key: KeyRecord;
  readonly user: UserRecord | undefined;
  readonly team: TeamRecord | undefined;
  readonly membership: MembershipRecord | undefined;
  readonly project: ProjectRecord | undefined;
  readonly projectId: string | null;
  readonly organization: OrganizationRecord | undefined;
  readonly organizationId: string | null;
  /** Shared budgets that the others name, by id. */
  readonly budgets: ReadonlyMap<string, BudgetRecord>;
}

type Defaults = Pick<
  GatewaySettings,
  'timezone' | 'tokensLimited' | 'internalUserBudgetDefault' | 'keyParallelMax' | 'serviceAccountParams' | 'teamLogging'
>;

/** Roles that get the default budget of internal users when they have none of their own. */
const budgetedRoles: ReadonlySet<Role> = new Set(['internal_user', 'internal_user_viewer']);

/** Makes the ready-made lists that a request with this key walks. */
export function compilePrincipal(chain: Chain, defaults: Defaults): Principal {
  const { key, user, team } = chain;
  const budgets: BudgetRule[] = [];
  const rateLimits: RateLimitRule[] = [];
  for (const compile of [addKey, addTeam, addMember, addUser, addProject, addOrganization]) {
    compile(chain, defaults, budgets, rateLimits);
  }
  return Object.freeze<Principal>({
    kind: 'virtual_key',
    keyId: key.id,
    keyAlias: key.alias,
    keyName: key.name,
    userId: key.userId,
    userEmail: user?.email ?? null,
    teamId: key.teamId,
    teamAlias: team?.alias ?? null,
    organizationId: chain.organizationId,
    role: user?.role ?? (key.userId === null && key.teamId !== null ? 'team' : 'internal_user'),
    modelAccess: Object.freeze(modelAccess(chain)),
    modelAliases: Object.freeze({ ...team?.modelAliases, ...key.aliases }),
    allowedRoutes: Object.freeze([...key.allowedRoutes]),
    budgets: Object.freeze(budgets),
    rateLimits: Object.freeze(rateLimits),
    tags: Object.freeze([...new Set([...key.tags, ...textsIn(key.metadata.tags), ...teamTags(team)])]),
    metadata: Object.freeze({ ...key.metadata }),
    enforcedParams: Object.freeze([
      ...textsIn(key.extra.enforced_params),
      // A key of a team and of nobody in it is a service account's.
      ...(key.userId === null && key.teamId !== null ? (defaults.serviceAccountParams ?? []) : []),
    ]),
    tagLimits: tagLimits(key, defaults),
    throttledOverBudget: throttled(key),
    budgetFallbacks: budgetFallbacks(key.extra.budget_fallbacks),
    routerSettings: routing(team?.extra.router_settings, key.extra.router_settings),
    allowedCacheControls: Object.freeze(textsIn(key.extra.allowed_cache_controls)),
    expiresAt: key.expiresAt,
    blocked: blockedPart(chain),
    // The source of principals answers for end users, defaults included.
    endUserDefaults: Object.freeze([]),
    sinkRules: sinkRules(key.metadata, withLogging(team, defaults)),
  });
}

/** `tag_rpm_limit`: how often a minute the key may ask under a tag. */
function tagLimits({ extra, id, alias, name }: KeyRecord, { tokensLimited }: Defaults): Principal['tagLimits'] {
  if (!isJsonObject(extra.tag_rpm_limit)) return null;
  const limits = Object.entries(extra.tag_rpm_limit).map(([tag, rpmLimit]) => {
    const label = `${tag} of ${alias ?? name}`;
    const subject = { scope: 'tag', id: `${tag} of ${id}`, label, tokensLimited } as const;
    return [tag, rateLimitRules(subject, { rpmLimit: typeof rpmLimit === 'number' ? rpmLimit : null })] as const;
  });
  return limits.length === 0 ? null : new Map(limits);
}

/** A key without a rate has nothing that could be slowed. */
function throttled({ extra, metadata, rpmLimit, tpmLimit }: KeyRecord): boolean {
  const wished = extra.throttle_on_budget_exceeded === true || metadata.throttle_on_budget_exceeded === true;
  return wished && (rpmLimit !== null || tpmLimit !== null);
}

function budgetFallbacks(written: Json | undefined): Principal['budgetFallbacks'] {
  if (!isJsonObject(written)) return null;
  const lists = Object.entries(written).map(([model, models]) => [model, textsIn(models)] as const);
  return lists.length === 0 ? null : Object.freeze(Object.fromEntries(lists));
}

function routing(ofTeam: Json | undefined, ofKey: Json | undefined): JsonObject | null {
  const both = { ...(isJsonObject(ofTeam) && ofTeam), ...(isJsonObject(ofKey) && ofKey) };
  return Object.keys(both).length === 0 ? null : Object.freeze(both);
}

function teamTags(team: TeamRecord | undefined): string[] {
  return team === undefined ? [] : [...textsIn(team.extra.tags), ...textsIn(team.metadata.tags)];
}

/** A team, project or organization that is gone cannot say what it allows, so its keys stop. A user needs no row. */
function blockedPart(chain: Chain): Principal['blocked'] {
  const { key, user, team, project, projectId, organization, organizationId } = chain;
  if (key.blocked) return 'key';
  if (key.teamId !== null && (team === undefined || team.blocked)) return 'team';
  if (user?.blocked === true) return 'user';
  if (projectId !== null && (project === undefined || project.blocked)) return 'project';
  if (organizationId !== null && (organization === undefined || organization.blocked)) return 'organization';
  return null;
}

function modelAccess({ key, user, team, membership, project, organization }: Chain): ModelAccessRule[] {
  const lists: (ModelAccessRule | undefined)[] = [
    { scope: 'key', id: key.id, models: withGroups(key) },
    team && { scope: 'team', id: team.id, models: withGroups(team) },
    membership && { scope: 'team_member', id: membership.id, models: membership.allowedModels },
    // A user's own list covers personal keys only.
    key.teamId === null && user ? { scope: 'user', id: user.id, models: user.models } : undefined,
    project && { scope: 'project', id: project.id, models: project.models },
    organization && { scope: 'organization', id: organization.id, models: organization.models },
  ];
  return lists.filter((list) => list !== undefined && list.models.length > 0).map((list) => Object.freeze(list!));
}

/** A list that names models also allows those of the access groups that were given by id; an empty one allows all. */
function withGroups({ models, extra }: Pick<KeyRecord, 'models' | 'extra'>): readonly string[] {
  return models.length === 0 ? models : [...models, ...textsIn(extra.access_group_ids)];
}

type Compile = (chain: Chain, defaults: Defaults, budgets: BudgetRule[], rateLimits: RateLimitRule[]) => void;

function withLogging(team: TeamRecord | undefined, { teamLogging }: Defaults): JsonObject {
  if (team === undefined) return {};
  const logging = teamLogging?.[team.id];
  return logging === undefined ? team.metadata : { logging, ...team.metadata };
}

const addKey: Compile = ({ key, budgets: shared }, defaults, budgets, rateLimits) => {
  const { timezone, tokensLimited, keyParallelMax = null } = defaults;
  const subject: Subject = {
    scope: 'key',
    id: keyAccountId(key),
    label: key.alias ?? key.name,
    timezone,
    tokensLimited,
  };
  const own = withShared(key, shared.get(key.budgetId ?? ''));
  const limits = { ...own, maxParallelRequests: own.maxParallelRequests ?? keyParallelMax };
  const { temporaryIncrease: amount, temporaryIncreaseUntil: until } = key;
  const increase = amount === null || until === null ? null : Object.freeze({ amount, until });
  budgets.push(...budgetRules(subject, limits, { windows: key.extra.budget_limits, increase }));
  rateLimits.push(...rateLimitRules(subject, limits, [key.metadata, key.extra]));
};

const addTeam: Compile = ({ team, budgets: shared }, { timezone, tokensLimited }, budgets, rateLimits) => {
  if (team === undefined) return;
  const subject: Subject = { scope: 'team', id: team.id, label: team.id, timezone, tokensLimited };
  const limits = withShared(team, shared.get(team.budgetId ?? ''));
  budgets.push(...budgetRules(subject, limits, { windows: team.extra.budget_limits }));
  rateLimits.push(...rateLimitRules(subject, limits, [team.metadata, team.extra]));
};

const addMember: Compile = ({ key, team, membership }, { timezone, tokensLimited }, budgets, rateLimits) => {
  if (team === undefined || key.userId === null) return;
  const limits: OwnLimits = {
    maxBudget: membership?.maxBudget ?? team.memberBudget,
    budgetDuration: membership?.budgetDuration ?? team.memberBudgetDuration,
    rpmLimit: membership?.rpmLimit ?? team.memberRpmLimit,
    tpmLimit: membership?.tpmLimit ?? team.memberTpmLimit,
  };
  const id = `${team.id}/${key.userId}`;
  const subject: Subject = { scope: 'team_member', id, label: id, timezone, tokensLimited };
  if (membership !== undefined || limits.maxBudget !== null) budgets.push(...budgetRules(subject, limits));
  rateLimits.push(...rateLimitRules(subject, limits));
};

const addUser: Compile = ({ key, user, budgets: shared }, defaults, budgets, rateLimits) => {
  if (key.userId === null) return;
  const { timezone, tokensLimited, internalUserBudgetDefault: byDefault } = defaults;
  const subject: Subject = { scope: 'user', id: key.userId, label: key.userId, timezone, tokensLimited };
  let limits: OwnLimits = user === undefined ? {} : withShared(user, shared.get(user.budgetId ?? ''));
  rateLimits.push(...rateLimitRules(subject, limits, [user?.metadata, user?.extra]));
  if ((limits.maxBudget ?? null) === null && byDefault !== null && (!user || budgetedRoles.has(user.role))) {
    limits = {
      ...limits,
      maxBudget: byDefault.cap,
      budgetDuration: limits.budgetDuration ?? byDefault.duration,
    };
  }
  const own = budgetRules(subject, limits, { windows: user?.extra.budget_limits });
  // What a team pays for is counted for its user, but the user's own budget does not stop it.
  if (key.teamId === null) budgets.push(...own);
  else budgets.push(...own.map((rule) => Object.freeze({ ...rule, cap: null, softCap: null })));
};

const addProject: Compile = ({ project, budgets: shared }, { timezone, tokensLimited }, budgets, rateLimits) => {
  if (project === undefined) return;
  const subject: Subject = { scope: 'project', id: project.id, label: project.id, timezone, tokensLimited };
  const limits = withShared(project, shared.get(project.budgetId ?? ''));
  budgets.push(...budgetRules(subject, limits, { windows: project.extra.budget_limits }));
  rateLimits.push(...rateLimitRules(subject, limits, [project.metadata, project.extra]));
};

const addOrganization: Compile = (
  { organization, budgets: shared },
  { timezone, tokensLimited },
  budgets,
  rateLimits,
) => {
  if (organization === undefined) return;
  const subject: Subject = {
    scope: 'organization',
    id: organization.id,
    label: organization.id,
    timezone,
    tokensLimited,
  };
  const limits = withShared(organization, shared.get(organization.budgetId ?? ''));
  budgets.push(...budgetRules(subject, limits, { windows: organization.extra.budget_limits }));
  rateLimits.push(...rateLimitRules(subject, limits, [organization.metadata, organization.extra]));
};

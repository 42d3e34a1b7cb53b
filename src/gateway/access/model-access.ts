import type { ErrorCode } from '../../core/errors.ts';
import { GatewayError } from '../../core/errors.ts';
import type { ModelAccessRule, Principal } from '../../core/identity.ts';
import type { Deployment, Snapshot } from '../../core/route.ts';
import { patternMatches } from '../../core/wildcard.ts';

/** A model as it may stand in allow-lists. */
export interface ModelNames {
  /** As asked for. */
  readonly asked: string;
  /** Group it leads to: the same, or what a router alias, a deployment id or the key's alias stands for. */
  readonly group: string;
  /** Where it can go: `provider/*` in a list also allows that provider's models under bare names. */
  readonly deployments: readonly Deployment[];
}

/** The first list on the principal's chain that does not allow the model, or null when all do. */
export function deniedBy(principal: Principal, names: ModelNames, snapshot: Snapshot): ModelAccessRule | null {
  const { modelAccess } = principal;
  for (let index = 0; index < modelAccess.length; index++) {
    const rule = modelAccess[index]!;
    if (rule.models.length > 0 && !allows(rule, principal, names, snapshot)) return rule;
  }
  return null;
}

export function mayUse(principal: Principal, names: ModelNames, snapshot: Snapshot): boolean {
  return deniedBy(principal, names, snapshot) === null;
}

function allows(rule: ModelAccessRule, principal: Principal, names: ModelNames, snapshot: Snapshot): boolean {
  for (const entry of rule.models) {
    switch (entry) {
      case 'all-proxy-models':
      case '*':
        return true;
      case 'all-team-models':
        // The team's own list stands on the same chain and decides; without a team there is nothing to inherit from.
        if (principal.teamId !== null) return true;
        break;
      case 'no-default-models':
        // Nothing but what the team grants: with a team list on the chain, that list decides.
        if (principal.modelAccess.some((other) => other.scope === 'team' && other.models.length > 0)) return true;
        break;
      default:
        if (entryAllows(entry, names, snapshot)) return true;
    }
  }
  return false;
}

function entryAllows(entry: string, names: ModelNames, snapshot: Snapshot): boolean {
  if (entry === names.asked || entry === names.group) return true;
  if (entry.includes('*')) {
    if (patternMatches(entry, names.asked) || patternMatches(entry, names.group)) return true;
    if (entry.endsWith('/*') && entry.indexOf('*') === entry.length - 1) {
      return speaksFor(entry.slice(0, -2), names.deployments);
    }
    return false;
  }
  for (const member of snapshot.accessGroups.get(entry) ?? []) {
    if (patternMatches(member, names.asked) || patternMatches(member, names.group)) return true;
  }
  return false;
}

function speaksFor(providerId: string, deployments: readonly Deployment[]): boolean {
  return (
    deployments.length > 0 &&
    deployments.every(({ provider }) => provider.id === providerId || provider.aliases.includes(providerId))
  );
}

const denials: Readonly<Record<ModelAccessRule['scope'], { readonly code: ErrorCode; readonly name: string }>> = {
  key: { code: 'key_model_denied', name: 'key' },
  team: { code: 'team_model_denied', name: 'Team' },
  team_member: { code: 'team_model_denied', name: 'Team member' },
  user: { code: 'user_model_denied', name: 'User' },
  project: { code: 'project_model_denied', name: 'Project' },
  organization: { code: 'organization_model_denied', name: 'Organization' },
};

/** The refusal for a model that a list does not allow. */
export function modelDenied(rule: ModelAccessRule, model: string, snapshot: Snapshot): GatewayError {
  const { code, name } = denials[rule.scope];
  const list = snapshot.settings.showAllowedModels ? listed(rule.models) : null;
  if (rule.scope === 'key') {
    const allowed = list === null ? '' : ` This key can only access models=${list}.`;
    return new GatewayError(code, `key not allowed to access model.${allowed} Tried to access ${shown(model)}`, {
      param: 'model',
    });
  }
  const allowed = list === null ? '' : ` Allowed ${name.toLowerCase()} models = ${list}`;
  return new GatewayError(
    code,
    `${name} not allowed to access model. ${name}=${rule.id}, Model=${shown(model)}.${allowed}`,
    { param: 'model' },
  );
}

const listLengthMax = 50;

function listed(models: readonly string[]): string {
  const rest = models.length - listLengthMax;
  const names = models.slice(0, listLengthMax).map((model) => `'${model}'`);
  return `[${names.join(', ')}${rest > 0 ? `, … ${rest} more` : ''}]`;
}

/** A name as the caller wrote it, short enough for a message. */
export function shown(name: string): string {
  return name.length <= 200 ? name : `${name.slice(0, 200)}…`;
}

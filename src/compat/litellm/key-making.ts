import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import { isAdministrator } from '../../admin/actor.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { GatewayError } from '../../core/errors.ts';
import type { KeyBody } from './key-shape.ts';

/* Who may make keys, as `key_generation_settings` says. */

const required = z.array(z.string()).optional();
const rulesSchema = z.object({
  team_key_generation: z
    .object({ allowed_team_member_roles: z.array(z.string()).optional(), required_params: required })
    .optional(),
  personal_key_generation: z
    .object({ allowed_user_roles: z.array(z.string()).optional(), required_params: required })
    .optional(),
});

const plainAlias = /^[A-Za-z0-9][A-Za-z0-9_.@/ -]{1,254}$/;

/** Throws GatewayError for a key that the operator does not want made, or not by this one, or not without saying more. */
export function requireMayMakeKey(plane: Pick<ControlPlane, 'settings'>, actor: Actor, body: KeyBody): void {
  requirePlainAlias(plane, body.key_alias);
  const rules = requireMayHave(plane, actor, body.team_id);
  requireFields((body.team_id ? rules.team_key_generation : rules.personal_key_generation)?.required_params, body);
}

/** Throws GatewayError where a key must not get to a team, or out of every team, by this one: as if it were made there. */
export function requireMayMoveKey(
  plane: Pick<ControlPlane, 'settings'>,
  actor: Actor,
  old: { readonly teamId: string | null },
  { teamId }: { readonly teamId?: string | null },
): void {
  if (teamId !== undefined && (teamId || null) !== old.teamId) requireMayHave(plane, actor, teamId);
}

function requireMayHave(plane: Pick<ControlPlane, 'settings'>, actor: Actor, teamId: string | null | undefined): Rules {
  const { rules, needsTeam } = plane.settings.keyMaking;
  if (needsTeam && !teamId && !isAdministrator(actor)) {
    throw denied(
      'Keys are made in teams here: name one in team_id (general_settings.default_team_disabled).',
      'team_id',
    );
  }
  if (rules === null) return {};
  const { data, error } = rulesSchema.safeParse(rules);
  if (data === undefined) {
    const [issue] = error.issues;
    throw new GatewayError(
      'malformed_request',
      `litellm_settings.key_generation_settings cannot be read, so no key is made: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  }
  if (teamId) requireInTeam(data.team_key_generation?.allowed_team_member_roles, actor, teamId);
  else requirePersonal(data.personal_key_generation?.allowed_user_roles, actor);
  return data;
}

/** Throws GatewayError('malformed_request') for an alias that is no plain name, where the operator wants plain ones. */
export function requirePlainAlias(plane: Pick<ControlPlane, 'settings'>, alias: string | null | undefined): void {
  if (!alias || !plane.settings.keyMaking.plainAliases || plainAlias.test(alias)) return;
  throw new GatewayError(
    'malformed_request',
    'key_alias: expected 2 to 255 letters, digits, spaces or any of _ - . @ /, the first a letter or digit.',
    { param: 'key_alias' },
  );
}

type Rules = z.output<typeof rulesSchema>;

function requireInTeam(roles: readonly string[] | undefined, actor: Actor, teamId: string): void {
  const role = actor.teamsAdministered.has(teamId) ? 'admin' : 'user';
  if (roles !== undefined && !isAdministrator(actor) && !roles.includes(role)) {
    throw denied(
      `Keys of this team are made by members with a role in [${roles.join(', ')}]; yours is ${role}.`,
      'team_id',
    );
  }
}

function requirePersonal(roles: readonly string[] | undefined, actor: Actor): void {
  if (roles !== undefined && !isAdministrator(actor) && !roles.includes(actor.role)) {
    throw denied(
      `Personal keys are made by users with a role in [${roles.join(', ')}]; yours is ${actor.role}.`,
      'team_id',
    );
  }
}

function requireFields(names: readonly string[] | undefined, body: KeyBody): void {
  for (const name of names ?? []) {
    if ((body as Record<string, unknown>)[name] !== undefined) continue;
    throw new GatewayError('malformed_request', `${name}: required for a new key (key_generation_settings).`, {
      param: name,
    });
  }
}

function denied(message: string, param: string): GatewayError {
  return new GatewayError('route_denied', message, { param });
}

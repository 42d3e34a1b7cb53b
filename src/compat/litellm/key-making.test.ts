import { describe, expect, it } from 'vitest';
import type { Actor } from '../../admin/actor.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { requireMayMakeKey, requireMayMoveKey } from './key-making.ts';
import type { KeyBody } from './key-shape.ts';

const actor = (role: Actor['role'], teamsAdministered: readonly string[] = []) =>
  ({ role, teams: new Set(['blue']), teamsAdministered: new Set(teamsAdministered) }) as unknown as Actor;
const rules = {
  team_key_generation: { allowed_team_member_roles: ['admin'], required_params: ['tags'] },
  personal_key_generation: { allowed_user_roles: ['internal_user'], required_params: ['max_budget'] },
};
const makes = (who: Actor, body: object, keyMaking: object = {}) => {
  const settings = { keyMaking: { rules, plainAliases: false, needsTeam: false, ...keyMaking } };
  return () => requireMayMakeKey({ settings } as unknown as Pick<ControlPlane, 'settings'>, who, body as KeyBody);
};
const inTeam = { team_id: 'blue', tags: ['a'] };

describe('key_generation_settings', () => {
  it('lets members of a team make its keys by their role there', () => {
    expect(makes(actor('internal_user', ['blue']), inTeam)).not.toThrow();
    expect(makes(actor('internal_user', ['red']), inTeam)).toThrow(/a role in \[admin\]; yours is user/);
    expect(makes(actor('proxy_admin'), inTeam)).not.toThrow();
  });

  it('lets users make keys of their own by their role', () => {
    expect(makes(actor('internal_user'), { max_budget: 1 })).not.toThrow();
    expect(makes(actor('internal_user_viewer'), { max_budget: 1 })).toThrow(/yours is internal_user_viewer/);
    expect(makes(actor('proxy_admin'), { max_budget: 1 })).not.toThrow();
  });

  it('asks everybody, administrators too, for what a key must say', () => {
    expect(makes(actor('proxy_admin'), { team_id: 'blue' })).toThrow(/^tags: required/);
    expect(makes(actor('internal_user'), {})).toThrow(/^max_budget: required/);
  });

  it('that cannot be read let nobody make a key, rather than everybody', () => {
    const broken = { rules: { personal_key_generation: { allowed_user_roles: 'internal_user' } } };
    expect(makes(actor('proxy_admin'), {}, broken)).toThrow(
      /cannot be read.*personal_key_generation.allowed_user_roles/,
    );
  });
});

it('default_team_disabled: keys without a team are made by administrators alone', () => {
  const needsTeam = { rules: null, needsTeam: true };
  expect(makes(actor('internal_user'), {}, needsTeam)).toThrow(/default_team_disabled/);
  expect(makes(actor('internal_user'), { team_id: '' }, needsTeam)).toThrow(/default_team_disabled/);
  expect(makes(actor('internal_user'), { team_id: 'blue' }, needsTeam)).not.toThrow();
  expect(makes(actor('proxy_admin'), {}, needsTeam)).not.toThrow();
});

it('a key gets no way around these rules later: out of its team, or into another one', () => {
  const moves = (who: Actor, from: string | null, to: string | null | undefined, keyMaking: object) => () => {
    const settings = { keyMaking: { rules, plainAliases: false, needsTeam: false, ...keyMaking } };
    requireMayMoveKey(
      { settings } as unknown as Pick<ControlPlane, 'settings'>,
      who,
      { teamId: from },
      { teamId: to! },
    );
  };
  const boss = actor('internal_user', ['blue']);
  expect(moves(boss, 'blue', null, { rules: null, needsTeam: true })).toThrow(/default_team_disabled/);
  expect(moves(actor('proxy_admin'), 'blue', null, { rules: null, needsTeam: true })).not.toThrow();
  expect(moves(boss, 'blue', 'red', {})).toThrow(/a role in \[admin\]/);
  expect(moves(actor('org_admin', ['blue']), 'blue', null, {})).toThrow(/yours is org_admin/);
  expect(moves(boss, null, null, { needsTeam: true })).not.toThrow();
  expect(moves(boss, 'blue', undefined, { needsTeam: true })).not.toThrow();
});

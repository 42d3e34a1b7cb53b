import { nearest } from '../core/nearest.ts';
import { patternPieces, wildcardMatches } from '../core/wildcard.ts';
import { addressFault } from './allowed-addresses.ts';
import type { Path } from './diagnostic.ts';
import type { Findings } from './findings.ts';
import type { Config } from './load.ts';

/** Names that should mean something in this configuration: groups in fallbacks and aliases, credentials, ids. */
export function reportReferences(config: Config, findings: Findings): void {
  const {
    router_settings: router,
    litellm_settings: litellm,
    general_settings: general,
    credential_list,
  } = config.sections;
  const groups = new Set(config.deployments.map((deployment) => deployment.group));
  const teamNames = new Set(config.deployments.map((deployment) => deployment.info.team_public_model_name));
  const ids = new Set(config.deployments.map((deployment) => deployment.info.id));
  const aliases = Object.keys(router?.model_group_alias ?? {});
  const patterns = [...groups].filter((group) => group.includes('*')).map(patternPieces);
  const mayComeFromDatabase = general?.store_model_in_db === true;
  const exists = (name: string) =>
    groups.has(name) ||
    ids.has(name) ||
    teamNames.has(name) ||
    aliases.includes(name) ||
    patterns.some((pieces) => wildcardMatches(pieces, name) !== null);
  const expectGroup = (name: string, path: Path) => {
    if (name === '*' || exists(name)) return;
    const stored = mayComeFromDatabase ? ' (it may be a stored model)' : '';
    findings.add('warning', path, `there is no model group ${name}${stored}`, {
      nearest: nearest(name, [...groups, ...aliases]),
    });
  };

  for (const [section, settings] of [
    ['router_settings', router],
    ['litellm_settings', litellm],
  ] as const) {
    for (const key of ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'] as const) {
      for (const [index, entry] of (settings?.[key] ?? []).entries()) {
        for (const [group, targets] of Object.entries(entry)) {
          expectGroup(group, [section, key, index, group]);
          for (const [position, target] of targets.entries()) {
            if (target === group) {
              findings.add('warning', [section, key, index, group, position], `${group} cannot stand in for itself`);
            } else expectGroup(target, [section, key, index, group, position]);
          }
        }
      }
    }
    for (const [index, name] of (settings?.default_fallbacks ?? []).entries()) {
      expectGroup(name, [section, 'default_fallbacks', index]);
    }
  }
  for (const [alias, target] of Object.entries(router?.model_group_alias ?? {})) {
    expectGroup(typeof target === 'string' ? target : target.model, ['router_settings', 'model_group_alias', alias]);
  }
  const credentials = (credential_list ?? []).map((credential) => credential.credential_name);
  for (const { params, path } of config.deployments) {
    for (const name of params.silent_model ?? []) expectGroup(name, [...path, 'silent_model']);
    const name = params.litellm_credential_name;
    if (name === undefined || credentials.includes(name)) continue;
    const message = mayComeFromDatabase
      ? `no credential ${name} in this file (it may be a stored one)`
      : `there is no credential ${name}`;
    findings.add('warning', [...path, 'litellm_credential_name'], message, { nearest: nearest(name, credentials) });
  }
  for (const [index, entry] of (general?.allowed_ips ?? []).entries()) {
    const fault = addressFault(entry);
    // Left out, nobody behind it would get in: better to refuse the file.
    if (fault !== null) findings.add('error', ['general_settings', 'allowed_ips', index], fault);
  }
  const masterKey = general?.master_key?.reveal();
  if (masterKey !== undefined && !masterKey.startsWith('sk-')) {
    findings.add('warning', ['general_settings', 'master_key'], 'does not begin with sk-; some clients insist on that');
  }
}

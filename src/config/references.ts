import { nearest } from '../core/nearest.ts';
import { patternPieces, wildcardMatches } from '../core/wildcard.ts';
import { addressFault } from './allowed-addresses.ts';
import { groupsOfRouter, isRouter } from './complexity-route.ts';
import type { Path } from './diagnostic.ts';
import type { Findings } from './findings.ts';
import type { Config } from './load.ts';

/** Names and words that should mean something: groups in fallbacks and aliases, credentials, roles, addresses. */
export function reportReferences(config: Config, findings: Findings): void {
  reportGroups(config, findings);
  reportCredentials(config, findings);
  reportWords(config, findings);
  const { general_settings: general } = config.sections;
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

type ExpectGroup = (name: string, path: Path) => void;

function reportGroups(config: Config, findings: Findings): void {
  const { router_settings: router, litellm_settings: litellm } = config.sections;
  const expectGroup = groupsIn(config, findings);
  for (const [section, settings] of [
    ['router_settings', router],
    ['litellm_settings', litellm],
  ] as const) {
    for (const key of ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'] as const) {
      reportFallbacks(settings?.[key] ?? [], [section, key], expectGroup, findings);
    }
    for (const [index, name] of (settings?.default_fallbacks ?? []).entries()) {
      expectGroup(name, [section, 'default_fallbacks', index]);
    }
  }
  for (const [alias, target] of Object.entries(router?.model_group_alias ?? {})) {
    expectGroup(typeof target === 'string' ? target : target.model, ['router_settings', 'model_group_alias', alias]);
  }
  for (const entry of config.deployments) {
    const { params, path } = entry;
    if (isRouter(entry)) for (const name of groupsOfRouter(entry)) expectGroup(name, [...path, 'model']);
    for (const name of params.silent_model ?? []) expectGroup(name, [...path, 'silent_model']);
  }
}

function reportFallbacks(
  entries: readonly Readonly<Record<string, readonly string[]>>[],
  path: Path,
  expectGroup: ExpectGroup,
  findings: Findings,
): void {
  for (const [index, entry] of entries.entries()) {
    for (const [group, targets] of Object.entries(entry)) {
      expectGroup(group, [...path, index, group]);
      for (const [position, target] of targets.entries()) {
        const at = [...path, index, group, position];
        if (target === group) findings.add('warning', at, `${group} cannot stand in for itself`);
        else expectGroup(target, at);
      }
    }
  }
}

/** A warning where a name leads nowhere. */
function groupsIn({ deployments, sections }: Config, findings: Findings): ExpectGroup {
  const groups = new Set(deployments.map(({ group }) => group));
  const others = new Set(deployments.flatMap(({ info }) => [info.id, info.team_public_model_name]));
  const aliases = Object.keys(sections.router_settings?.model_group_alias ?? {});
  const patterns = [...groups].filter((group) => group.includes('*')).map(patternPieces);
  const stored = mayBeStored({ sections }) ? ' (it may be a stored model)' : '';
  return (name, path) => {
    const isKnown =
      name === '*' ||
      groups.has(name) ||
      others.has(name) ||
      aliases.includes(name) ||
      patterns.some((pieces) => wildcardMatches(pieces, name) !== null);
    if (isKnown) return;
    findings.add('warning', path, `there is no model group ${name}${stored}`, {
      nearest: nearest(name, [...groups, ...aliases]),
    });
  };
}

function reportCredentials(config: Config, findings: Findings): void {
  const credentials = (config.sections.credential_list ?? []).map((credential) => credential.credential_name);
  for (const { params, path } of config.deployments) {
    const name = params.litellm_credential_name;
    if (name === undefined || credentials.includes(name)) continue;
    const message = mayBeStored(config)
      ? `no credential ${name} in this file (it may be a stored one)`
      : `there is no credential ${name}`;
    findings.add('warning', [...path, 'litellm_credential_name'], message, { nearest: nearest(name, credentials) });
  }
}

function mayBeStored({ sections }: Pick<Config, 'sections'>): boolean {
  return sections.general_settings?.store_model_in_db === true;
}

const userRoles = ['customer', 'end_user', 'internal_user'];
const storedObjects = [
  ...['models', 'pass_through_endpoints', 'mcp', 'guardrails', 'vector_stores', 'prompts', 'model_cost_map'],
  ...['tools', 'config_overrides'],
];
const preCallChecks = [
  ...['prompt_caching', 'session_affinity', 'deployment_affinity', 'enforce_model_rate_limits'],
  ...['router_budget_limiting', 'responses_api_deployment_check', 'encrypted_content_affinity'],
  'forward_client_headers_by_model_group',
];

/** Words of lists that stay open, as LiteLLM knows more of them: one that nobody knows does nothing. */
function reportWords({ sections }: Config, findings: Findings): void {
  const { general_settings: general = {}, router_settings: router = {} } = sections;
  const expectOneOf = (known: readonly string[], word: string, path: Path) => {
    if (known.includes(word.toLowerCase())) return;
    findings.add('warning', path, `${word.slice(0, 40)} means nothing here`, {
      expected: `one of ${known.join(', ')}`,
      nearest: nearest(word, known),
    });
  };
  const mappings = [general.user_header_mappings ?? []].flat();
  for (const [index, { litellm_user_role: role }] of mappings.entries()) {
    expectOneOf(userRoles, role, ['general_settings', 'user_header_mappings', index, 'litellm_user_role']);
  }
  for (const [index, word] of (general.supported_db_objects ?? []).entries()) {
    expectOneOf(storedObjects, word, ['general_settings', 'supported_db_objects', index]);
  }
  for (const [index, word] of (router.optional_pre_call_checks ?? []).entries()) {
    expectOneOf(preCallChecks, word, ['router_settings', 'optional_pre_call_checks', index]);
  }
}

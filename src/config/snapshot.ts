import { LRUCache } from 'lru-cache';
import type { BudgetRule } from '../core/limits.ts';
import { nanodollarsFromDollars } from '../core/money.ts';
import type { Provider, ProviderDirectory } from '../core/provider.ts';
import type {
  ComplexityRoute,
  Deployment,
  GatewaySettings,
  ModelGroup,
  Snapshot,
  WildcardGroup,
} from '../core/route.ts';
import { Secret } from '../core/secret.ts';
import type { AccessGroupRecord } from '../core/store.ts';
import { bySpecificity, patternPieces, wildcardMatches } from '../core/wildcard.ts';
import { answerPlace } from './answer-place.ts';
import type { Catalogue } from './catalogue.ts';
import { complexityRouteOf, isRouter } from './complexity-route.ts';
import type { DeploymentParts } from './connection.ts';
import { credentialsByName } from './credentials.ts';
import { buildDeployment, deploymentHash, fillDeployment } from './deployment.ts';
import type { DeploymentEntry } from './deployment-entry.ts';
import { type Diagnostic, type Path, renderPath } from './diagnostic.ts';
import { effectiveSettings } from './gateway-settings.ts';
import { anyModel, entriesOfKeys, isEverything } from './keys-of-environment.ts';
import type { Config } from './load.ts';
import { publicFacts } from './model-facts.ts';
import { passThroughsOf } from './pass-through.ts';
import { isSecret } from './public-params.ts';
import { effectiveRouter } from './router.ts';
import { telemetrySettings } from './telemetry/telemetry-settings.ts';

export interface SnapshotSources {
  readonly config: Config;
  readonly directory: ProviderDirectory;
  readonly catalogue: Catalogue;
  /** What the start found or made; null = every caller is an administrator. */
  readonly masterKey: Secret | null;
  readonly version: number;
  /** Models added through the admin API (`readStoredModel`). */
  readonly storedModels?: readonly DeploymentEntry[];
  /** Credentials added through the admin API, decrypted, by name. */
  readonly storedCredentials?: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Groups of models made through the admin API. */
  readonly storedAccessGroups?: readonly Pick<AccessGroupRecord, 'id' | 'name' | 'models' | 'deployments'>[];
}

export interface BuiltSnapshot {
  readonly snapshot: Snapshot;
  /** Deployments left out, with the reason, and warnings. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Names a wildcard has been asked for and remembers; callers choose them, so their number is bounded. */
const expandedNamesMax = 1_000;

interface Built {
  readonly deployment: Deployment;
  readonly entry: DeploymentEntry;
}

/** Everything the data path knows, frozen. Pure: the same sources give the same snapshot. */
export function buildSnapshot(sources: SnapshotSources): BuiltSnapshot {
  const { config, directory, catalogue } = sources;
  const { sections } = config;
  const diagnostics: Diagnostic[] = [];
  const settings = withAnswerPlace(effectiveSettings(sections, sources.masterKey), config, diagnostics);
  const secrets = new Set<Secret>(sources.masterKey === null ? [] : [sources.masterKey]);
  if (settings.cache?.place?.kind === 's3') secrets.add(settings.cache.place.identity.secretAccessKey);
  const credentials = credentialsByName(sections.credential_list, sources.storedCredentials);
  for (const values of credentials.values()) for (const value of Object.values(values)) if (value) secrets.add(value);

  const parts: DeploymentParts = {
    directory,
    catalogue,
    environment: config.environment,
    credentials,
    timezone: settings.timezone,
    providerBudgets: providerBudgets(config, settings.timezone),
    dropParams: settings.dropParams,
    chatGoesToResponses: sections.litellm_settings?.route_all_chat_openai_to_responses ?? false,
    networkMock: sections.litellm_settings?.network_mock ? 'This is a mock response.' : null,
    unpriced: sections.general_settings?.unpriced_models ?? 'self_hosted_free',
    report(severity, path: Path, message, details = {}) {
      diagnostics.push({ severity, ...config.placeOf(path), path: renderPath(path), message, ...compact(details) });
    },
  };
  const built: Built[] = [];
  const byId = new Map<string, Deployment>();
  const twins = new Map<string, number>();
  const complexityRoutes = new Map<string, ComplexityRoute>();
  for (const entry of entriesOf(sources, parts)) {
    if (isRouter(entry)) {
      const route = complexityRouteOf(entry, parts.report);
      if (route !== undefined) complexityRoutes.set(entry.group, route);
      continue;
    }
    const result = buildDeployment(entry, parts);
    if (result === undefined) continue;
    const id = result.deployment.id || nextId(entry, twins);
    if (byId.has(id)) {
      parts.report(
        'skipped',
        entry.path,
        `the id ${id} is taken by another deployment; this one of ${entry.group} is skipped`,
      );
      continue;
    }
    const budgets = result.deployment.budgets.map((rule) => (rule.scope === 'deployment' ? { ...rule, id } : rule));
    const modelInfo = { ...result.deployment.modelInfo, id };
    const deployment = Object.freeze({ ...result.deployment, id, budgets, modelInfo });
    byId.set(id, deployment);
    built.push({ deployment, entry });
    for (const secret of result.secrets) secrets.add(secret);
  }

  const telemetry = telemetrySettings(config, (path, message, nearestName) =>
    parts.report('warning', path, message, { nearest: nearestName }),
  );
  for (const secret of telemetry.secrets) secrets.add(secret);
  for (const entry of sections.litellm_settings?.default_team_settings ?? []) {
    for (const [name, value] of Object.entries(entry)) {
      if (typeof value === 'string' && isSecret(name, value)) secrets.add(new Secret(value));
    }
  }
  const passThroughs = passThroughsOf(sections.general_settings?.pass_through_endpoints, (severity, path, message) =>
    parts.report(severity, path, message),
  );
  for (const secret of passThroughs.secrets) secrets.add(secret);
  const contentForSinks = telemetry.settings.sinks.some(({ takesContent }) => takesContent);
  const snapshot: Snapshot = Object.freeze({
    version: sources.version,
    ...groupsOf(built, parts),
    ...teamGroupsOf(built),
    ...(complexityRoutes.size > 0 && { complexityRoutes }),
    aliases: aliasesOf(config),
    deployments: byId,
    accessGroups: accessGroupsOf(built, byId, sources.storedAccessGroups ?? []),
    passThroughs: passThroughs.targets,
    publicFacts: (provider: Provider, model: string) => publicFacts(provider, model, parts),
    router: effectiveRouter(sections),
    settings: contentForSinks ? Object.freeze({ ...settings, contentForSinks }) : settings,
    telemetry: telemetry.settings,
    secrets: Object.freeze([...secrets]),
  });
  return { snapshot, diagnostics };
}

/** Cached answers on a disk or in a bucket; a warning where something is missing for that. */
function withAnswerPlace(settings: GatewaySettings, config: Config, diagnostics: Diagnostic[]): GatewaySettings {
  if (settings.cache === null) return settings;
  const place = answerPlace(config.sections, config.environment);
  if (typeof place === 'object')
    return Object.freeze({ ...settings, cache: Object.freeze({ ...settings.cache, place }) });
  if (place !== undefined) {
    const path = ['litellm_settings', 'cache_params', 'type'];
    const message = `${place}; answers are kept in memory`;
    diagnostics.push({ severity: 'warning', ...config.placeOf(path), path: renderPath(path), message });
  }
  return settings;
}

/** What is written, what is stored, and what the keys of the environment stand for where that is wished. */
function entriesOf(
  { config, storedModels = [], directory }: SnapshotSources,
  parts: DeploymentParts,
): DeploymentEntry[] {
  const { environment, sections } = config;
  const written = [...config.deployments, ...storedModels].flatMap((entry) => {
    if (!isEverything(entry)) return [entry];
    const ofKeys = entriesOfKeys(entry, directory, environment);
    const message = 'no key of a provider is set in the environment; nothing is served by this entry';
    if (ofKeys.length === 0) parts.report('warning', [...entry.path, 'model'], message);
    return ofKeys;
  });
  if (!sections.general_settings?.infer_model_from_keys) return written;
  const own = new Set(written.map(({ group }) => group));
  const inferred = entriesOfKeys(anyModel(), directory, environment);
  return [...written, ...inferred.filter(({ group }) => !own.has(group))];
}

/** Two entries that are alike in all but their secrets are told apart by their order. */
function nextId(entry: DeploymentEntry, twins: Map<string, number>): string {
  const hash = deploymentHash(entry, 0);
  const twin = twins.get(hash) ?? 0;
  twins.set(hash, twin + 1);
  return twin === 0 ? hash : deploymentHash(entry, twin);
}

function groupsOf(built: readonly Built[], parts: DeploymentParts): Pick<Snapshot, 'groups' | 'wildcards'> {
  const byName = new Map<string, Built[]>();
  for (const item of built) {
    const list = byName.get(item.deployment.group);
    if (list === undefined) byName.set(item.deployment.group, [item]);
    else list.push(item);
  }
  const groups = new Map<string, ModelGroup>();
  const wildcards: WildcardGroup[] = [];
  for (const [name, items] of byName) {
    const deployments = Object.freeze(items.map((item) => item.deployment));
    if (name.includes('*')) wildcards.push(wildcardGroup(name, items, deployments, parts));
    else groups.set(name, Object.freeze({ name, deployments }));
  }
  return { groups, wildcards: wildcards.sort(bySpecificity) };
}

/** Deployments of a team, under the name that it has for them. */
function teamGroupsOf(built: readonly Built[]): Pick<Snapshot, 'teamGroups'> {
  const members = new Map<string, Map<string, Deployment[]>>();
  for (const { deployment, entry } of built) {
    const name = entry.info.team_public_model_name;
    if (name === undefined || deployment.teamId === null || name === deployment.group) continue;
    const ofTeam = members.get(deployment.teamId) ?? new Map<string, Deployment[]>();
    members.set(deployment.teamId, ofTeam);
    ofTeam.set(name, [...(ofTeam.get(name) ?? []), deployment]);
  }
  if (members.size === 0) return {};
  const group = ([name, deployments]: [string, Deployment[]]) =>
    [name, Object.freeze({ name, deployments: Object.freeze(deployments) })] as const;
  return { teamGroups: new Map([...members].map(([team, names]) => [team, new Map([...names].map(group))])) };
}

function wildcardGroup(
  name: string,
  items: readonly Built[],
  deployments: readonly Deployment[],
  parts: DeploymentParts,
): WildcardGroup {
  const pieces = patternPieces(name);
  const expanded = new LRUCache<string, ModelGroup>({ max: expandedNamesMax });
  return Object.freeze({
    name,
    deployments,
    pieces,
    expand(model: string): ModelGroup | null {
      const remembered = expanded.get(model);
      if (remembered !== undefined) return remembered;
      const matched = wildcardMatches(pieces, model);
      if (matched === null) return null;
      const filled = items.map(({ deployment, entry }) => fillDeployment(deployment, entry, matched, parts));
      const group = Object.freeze({ name: model, deployments: Object.freeze(filled) });
      expanded.set(model, group);
      return group;
    },
  });
}

function aliasesOf({ sections }: Config): Snapshot['aliases'] {
  const written = Object.entries(sections.router_settings?.model_group_alias ?? {});
  return new Map(
    written.map(([alias, target]) => [
      alias,
      typeof target === 'string'
        ? { group: target, hidden: false }
        : { group: target.model, hidden: target.hidden ?? false },
    ]),
  );
}

/** By name; stored ones also by id, which keys and teams may hold in its place. */
function accessGroupsOf(
  built: readonly Built[],
  byId: ReadonlyMap<string, Deployment>,
  stored: NonNullable<SnapshotSources['storedAccessGroups']>,
): Snapshot['accessGroups'] {
  const members = new Map<string, Set<string>>();
  for (const { deployment } of built) {
    for (const name of deployment.accessGroups) {
      const models = members.get(name) ?? new Set();
      members.set(name, models.add(deployment.group));
    }
  }
  for (const { id, name, models, deployments } of stored) {
    const all = [...models, ...deployments.flatMap((one) => byId.get(one)?.group ?? [])];
    for (const key of [id, name]) members.set(key, new Set([...(members.get(key) ?? []), ...all]));
  }
  return new Map([...members].map(([name, models]) => [name, [...models]]));
}

function providerBudgets({ sections }: Config, timezone: string): ReadonlyMap<string, BudgetRule> {
  const rules = new Map<string, BudgetRule>();
  for (const [provider, written] of Object.entries(sections.router_settings?.provider_budget_config ?? {})) {
    const cap = written.budget_limit ?? written.max_budget;
    if (cap === undefined) continue;
    rules.set(provider, {
      scope: 'provider',
      id: provider,
      model: null,
      cap: nanodollarsFromDollars(cap),
      softCap: null,
      duration: written.time_period ?? written.budget_duration ?? null,
      timezone,
      increase: null,
      label: `provider ${provider}`,
    });
  }
  return rules;
}

function compact(details: { readonly expected?: string; readonly nearest?: string | undefined }) {
  return {
    ...(details.expected !== undefined && { expected: details.expected }),
    ...(details.nearest !== undefined && { nearest: details.nearest }),
  };
}

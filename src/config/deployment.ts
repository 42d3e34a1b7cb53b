import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../core/json.ts';
import type { BudgetRule } from '../core/limits.ts';
import { nanodollarsFromDollars } from '../core/money.ts';
import type { Provider } from '../core/provider.ts';
import type { Deployment, TextPattern, Timeouts } from '../core/route.ts';
import type { Secret } from '../core/secret.ts';
import { connect, type DeploymentParts } from './connection.ts';
import type { DeploymentEntry } from './deployment-entry.ts';
import type { Environment } from './environment.ts';
import { modelFacts } from './model-facts.ts';
import { milliseconds, timerMilliseconds } from './router.ts';
import { textPattern } from './text-pattern.ts';

/** A deployment and the credentials it holds. Undefined for an entry that cannot be built; `report` says why. */
export function buildDeployment(
  entry: DeploymentEntry,
  parts: DeploymentParts,
): { readonly deployment: Deployment; readonly secrets: readonly Secret[] } | undefined {
  const { params, info } = entry;
  const connected = connect(entry, parts);
  if (connected === undefined) return undefined;
  const { provider, model, endpoint, apiBase, unusable, credential } = connected;
  const facts = modelFacts(entry, provider, model, apiBase, parts);
  if (facts.priceRemark !== null) parts.report('warning', [...entry.path, 'model'], facts.priceRemark);
  const deployment: Deployment = Object.freeze({
    id: info.id ?? '',
    group: entry.group,
    provider,
    endpoint,
    model,
    apiBase,
    ...facts.ofModel,
    timeouts: timeoutsOf(params.timeout, params.stream_timeout),
    weight: params.weight ?? null,
    order: params.order ?? null,
    tags: params.tags ?? [],
    tagPatterns: patterns(params.tag_regex ?? [], [...entry.path, 'tag_regex'], parts),
    retries: params.num_retries ?? params.max_retries ?? null,
    cooldownMs: params.cooldown_time === undefined ? null : milliseconds(params.cooldown_time),
    rpm: params.rpm ?? null,
    tpm: params.tpm ?? null,
    itpm: params.itpm ?? null,
    otpm: params.otpm ?? null,
    parallelMax: params.max_parallel_requests ?? null,
    keyLimits: keyLimits(params.default_api_key_rpm_limit, params.default_api_key_tpm_limit),
    defaults: entry.requestDefaults,
    extraBody: (params.extra_body ?? {}) as JsonObject,
    dropParams: Array.isArray(params.drop_params) || (params.drop_params ?? parts.dropParams),
    additionalDropParams: [
      ...(params.additional_drop_params ?? []),
      ...(Array.isArray(params.drop_params) ? params.drop_params : []),
    ],
    allowedParams: params.allowed_openai_params ?? [],
    callerMaySet: callerMaySet(entry, parts),
    accessGroups: info.access_groups ?? [],
    budgets: budgetsOf(entry, provider, parts),
    teamId: info.team_id ?? null,
    blocked: info.blocked ?? false,
    publicParams: entry.publicParams,
    fromDatabase: entry.fromDatabase,
    mockResponse: mockResponse(params.mock_response) ?? parts.networkMock,
    passesThrough: params.use_in_pass_through ?? false,
    mergesReasoning: params.merge_reasoning_content_in_choices ?? false,
    silentModels: params.silent_model ?? [],
    cacheMarks: (params.cache_control_injection_points ?? []).flatMap(({ location, role, index, control }) =>
      (location ?? 'message') === 'message' && (role ?? index) !== undefined
        ? [{ role: role ?? null, index: index ?? null, control: (control as JsonObject | undefined) ?? null }]
        : [],
    ),
    unusable: unusable ?? notHere(info.supported_environments, parts.environment),
  });
  return { deployment, secrets: credential === null ? entry.secrets : [...entry.secrets, credential] };
}

/** A deployment may be meant for some environments only; `LITELLM_ENVIRONMENT` names the one that this is. */
function notHere(
  environments: readonly string[] | undefined,
  { LITELLM_ENVIRONMENT: here }: Environment,
): string | null {
  if (environments === undefined || here === undefined || here === '' || environments.includes(here)) return null;
  return `it is for ${environments.join(', ')}, and this is ${here}`;
}

/** The deployment for one real model, where its model name holds stars: each star becomes what was matched. */
export function fillDeployment(
  template: Deployment,
  entry: DeploymentEntry,
  matched: readonly string[],
  parts: DeploymentParts,
): Deployment {
  let next = 0;
  const model = template.model.replace(/\*/g, () => matched[Math.min(next++, matched.length - 1)] ?? '');
  const { ofModel } = modelFacts(entry, template.provider, model, template.apiBase, parts);
  return Object.freeze({ ...template, ...ofModel, model, modelInfo: { ...ofModel.modelInfo, id: template.id } });
}

/** Group and parameters without secrets, so that rotating a provider key does not make another deployment. */
export function deploymentHash(entry: DeploymentEntry, twin: number): string {
  const canonical = JSON.stringify([entry.group, sorted(entry.publicParams), ...(twin > 0 ? [twin] : [])]);
  return createHash('sha256').update(canonical).digest('hex');
}

function sorted(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => sorted(item) as Json);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}

/** A deployment's `timeout` bounds one try; waiting for its first byte must not be cut shorter by the router's. */
function timeoutsOf(attempt: number | undefined, stream: number | undefined): Partial<Timeouts> {
  const attemptMs = attempt === undefined || attempt === 0 ? undefined : timerMilliseconds(attempt);
  const streamTotalMs = stream === undefined || stream === 0 ? undefined : timerMilliseconds(stream);
  const firstByteMs = Math.max(attemptMs ?? 0, streamTotalMs ?? 0);
  return Object.freeze({
    ...(firstByteMs > 0 && { firstByteMs }),
    ...(attemptMs !== undefined && { attemptMs }),
    ...(streamTotalMs !== undefined && { streamTotalMs }),
  });
}

/** A pattern covers the whole value; one that nobody can read lets nothing through. */
function callerMaySet({ params, path }: DeploymentEntry, parts: DeploymentParts): Deployment['callerMaySet'] {
  const key = 'configurable_clientside_auth_params';
  return (params[key] ?? []).flatMap((item): Deployment['callerMaySet'] =>
    typeof item === 'string'
      ? [{ field: item, pattern: null }]
      : Object.entries(item).flatMap(([field, source]) =>
          patterns([`^(?:${source})$`], [...path, key], parts).map((pattern) => ({ field, pattern })),
        ),
  );
}

/** Those that can be read; a warning for each of the others. */
function patterns(sources: readonly string[], path: DeploymentEntry['path'], parts: DeploymentParts): TextPattern[] {
  return sources.flatMap((source) => {
    try {
      return [textPattern(source)];
    } catch (cause) {
      parts.report('warning', path, `the pattern ${source} is left out: ${(cause as Error).message}`);
      return [];
    }
  });
}

function keyLimits(rpm: number | undefined, tpm: number | undefined): Deployment['keyLimits'] {
  return rpm === undefined && tpm === undefined ? null : Object.freeze({ rpm: rpm ?? null, tpm: tpm ?? null });
}

/** The deployment's own budget; its id is put in when it is known. */
function budgetsOf(entry: DeploymentEntry, provider: Provider, parts: DeploymentParts): BudgetRule[] {
  const rules: BudgetRule[] = [];
  if (entry.params.max_budget !== undefined) {
    rules.push({
      scope: 'deployment',
      id: '',
      model: null,
      cap: nanodollarsFromDollars(entry.params.max_budget),
      softCap: null,
      duration: entry.params.budget_duration ?? null,
      timezone: parts.timezone,
      increase: null,
      label: `deployment of ${entry.group}`,
    });
  }
  const ofProvider = parts.providerBudgets.get(provider.id);
  if (ofProvider !== undefined) rules.push(ofProvider);
  return rules;
}

function mockResponse(written: unknown): string | null {
  if (written === undefined || written === null) return null;
  return typeof written === 'string' ? written : JSON.stringify(written);
}

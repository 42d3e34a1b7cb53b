import type { Provider, ProviderDirectory } from '../core/provider.ts';
import { type DeploymentEntry, readDeploymentEntry } from './deployment-entry.ts';
import type { Environment } from './environment.ts';
import { Findings } from './findings.ts';
import { Origins } from './origin.ts';

/** `model_name: "*"` with `model: "*"`: whatever the environment has keys for. A key or an address of its own names one provider. */
export function isEverything({ group, params }: DeploymentEntry): boolean {
  const { model, api_key: key, api_base: address, base_url: sameAddress, custom_llm_provider: provider } = params;
  return group === '*' && model === '*' && (key ?? address ?? sameAddress ?? provider) === undefined;
}

/** An entry that says nothing but that. */
export function anyModel(): DeploymentEntry {
  const findings = new Findings('', {}, new Origins());
  return readDeploymentEntry({ model_name: '*', litellm_params: { model: '*' } }, [], [], findings)!;
}

/** One wildcard for each provider whose key is in the environment, and one for each way its models' bare names begin. */
export function entriesOfKeys(
  entry: DeploymentEntry,
  directory: ProviderDirectory,
  environment: Environment,
): DeploymentEntry[] {
  const providers = new Set(directory.ids.map((id) => directory.byId(id)!));
  const withKeys = [...providers].filter(
    (provider) => hasKey(provider, environment) && hasAddress(provider, environment),
  );
  return withKeys.flatMap(({ id, barePrefixes = [] }) =>
    [`${id}/`, ...barePrefixes].map((prefix) => {
      const group = `${prefix}*`;
      const model = prefix === `${id}/` ? group : `${id}/${group}`;
      const { id: _, ...info } = entry.info;
      return {
        ...entry,
        group,
        info,
        params: { ...entry.params, model },
        publicParams: { ...entry.publicParams, model },
      };
    }),
  );
}

function hasKey({ credentialVariable, otherCredentialVariables }: Provider, environment: Environment): boolean {
  return [credentialVariable, ...otherCredentialVariables].some((name) => name !== null && isSet(environment[name]));
}

function hasAddress({ defaultBaseUrl, baseUrlVariable }: Provider, environment: Environment): boolean {
  return defaultBaseUrl !== null || (baseUrlVariable !== null && isSet(environment[baseUrlVariable]));
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}

import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Deployment } from '../../core/route.ts';
import { mayUse } from '../access/model-access.ts';
import type { Gateway } from '../gateway.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';

/* What clients of an Ollama server ask before they chat. https://github.com/ollama/ollama/blob/main/docs/api.md */

/** Clients look for a server new enough for tools and thinking. */
const version = '0.12.6';
const never = '1970-01-01T00:00:00Z';

export async function tellVersion(): Promise<FreeAnswer> {
  return answered({ version });
}

export async function listTags(_gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  return answered({ models: [...visible(call).keys()].map(tagOf) });
}

/** Every model could be asked at once: none has to be loaded. */
export async function listRunning(_gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const models = [...visible(call).keys()].map((name) => ({ ...tagOf(name), expires_at: never, size_vram: 0 }));
  return answered({ models });
}

export async function showModel(_gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const asked = call.body.model ?? call.body.name;
  if (typeof asked !== 'string' || asked === '') {
    throw new GatewayError('malformed_request', 'model: expected the name of a model', { param: 'model' });
  }
  const deployments = visible(call).get(asked);
  if (deployments === undefined) {
    throw new GatewayError('not_found', `model '${asked.slice(0, 80)}' not found`, { param: 'model' });
  }
  const contextLength = deployments.map(({ limits }) => limits.inputTokensMax).find((most) => most !== null);
  return answered({
    modelfile: '',
    parameters: '',
    template: '',
    modified_at: never,
    details: details,
    model_info: {
      'general.architecture': 'tollgate',
      ...(contextLength == null ? {} : { 'tollgate.context_length': contextLength }),
    },
    capabilities: capabilitiesOf(deployments),
  });
}

const details: JsonObject = {
  parent_model: '',
  format: '',
  family: '',
  families: [],
  parameter_size: '',
  quantization_level: '',
};

function tagOf(name: string): JsonObject {
  return { name, model: name, modified_at: never, size: 0, digest: '', details };
}

/** Models for chats that this key may use, by their public names. */
function visible({ snapshot, principal }: FreeCall): Map<string, readonly Deployment[]> {
  const names = new Map<string, string>();
  for (const group of snapshot.groups.keys()) names.set(group, group);
  for (const [alias, { group, hidden }] of snapshot.aliases) if (!hidden && !names.has(alias)) names.set(alias, group);
  const models = new Map<string, readonly Deployment[]>();
  for (const [asked, group] of names) {
    const deployments = (snapshot.groups.get(group)?.deployments ?? []).filter(
      ({ teamId, operations }) =>
        operations.includes('chat') &&
        (teamId === null || principal.kind !== 'virtual_key' || principal.teamId === teamId),
    );
    if (deployments.length > 0 && mayUse(principal, { asked, group, deployments }, snapshot)) {
      models.set(asked, deployments);
    }
  }
  return models;
}

function capabilitiesOf(deployments: readonly Deployment[]): string[] {
  const can = (name: keyof Deployment['capabilities']) => deployments.some((one) => one.capabilities[name] !== false);
  const knows = (name: keyof Deployment['capabilities']) => deployments.some((one) => one.capabilities[name] === true);
  return [
    'completion',
    ...(can('tools') ? ['tools'] : []),
    ...(knows('vision') ? ['vision'] : []),
    ...(knows('reasoning') ? ['thinking'] : []),
  ];
}

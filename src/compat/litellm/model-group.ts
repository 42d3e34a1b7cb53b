import { z } from 'zod';
import type { ControlPlane } from '../../admin/control-plane.ts';
import type { VisibleModel } from '../../admin/visible-models.ts';
import type { Deployment } from '../../core/route.ts';

const number = z.number().nullable();

export const modelGroupOutput = z.object({
  model_group: z.string(),
  providers: z.array(z.string()),
  max_input_tokens: number,
  max_output_tokens: number,
  input_cost_per_token: number,
  output_cost_per_token: number,
  mode: z.string(),
  tpm: number,
  rpm: number,
  supports_vision: z.boolean(),
  supports_function_calling: z.boolean(),
  supports_parallel_function_calling: z.boolean(),
  supports_web_search: z.boolean(),
  supports_reasoning: z.boolean(),
  supported_openai_params: z.array(z.string()),
  configurable_clientside_auth_params: z.array(z.string()).nullable(),
  is_public_model_group: z.boolean(),
  health_status: z.string().nullable(),
});

/** Parameters of a chat request that every translation knows. */
export const chatParams = [
  'messages',
  'model',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'n',
  'stop',
  'max_tokens',
  'max_completion_tokens',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'seed',
  'user',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
];
export const embeddingParams = ['input', 'model', 'encoding_format', 'dimensions', 'user'];

/** One group over all its deployments: the most it can take, the least it costs, what any of them can do. */
export function shownModelGroup(plane: ControlPlane, model: VisibleModel) {
  const { deployments } = model;
  const all = <Value>(pick: (deployment: Deployment) => Value) => deployments.map(pick);
  const can = (ability: 'vision' | 'tools' | 'reasoning') =>
    deployments.some((deployment) => deployment.capabilities[ability] === true);
  const embeds = deployments.every((deployment) => !deployment.operations.includes('chat'));
  const now = plane.clock.now();
  const healthy = deployments.some(
    (deployment) =>
      deployment.unusable === null &&
      !deployment.blocked &&
      !((plane.condition(deployment).coolingDownUntil ?? 0) > now),
  );
  return {
    model_group: model.name,
    providers: [...new Set(all((deployment) => deployment.provider.id))],
    max_input_tokens: largest(all((deployment) => deployment.limits.inputTokensMax)),
    max_output_tokens: largest(all((deployment) => deployment.limits.outputTokensMax)),
    input_cost_per_token: smallest(all((deployment) => perToken(deployment.price?.rates.input))),
    output_cost_per_token: smallest(all((deployment) => perToken(deployment.price?.rates.output))),
    mode:
      typeof deployments[0]?.modelInfo.mode === 'string'
        ? deployments[0].modelInfo.mode
        : embeds
          ? 'embedding'
          : 'chat',
    tpm: sum(all((deployment) => deployment.tpm)),
    rpm: sum(all((deployment) => deployment.rpm)),
    supports_vision: can('vision'),
    supports_function_calling: can('tools'),
    supports_parallel_function_calling: can('tools'),
    supports_web_search: deployments.some((deployment) => deployment.modelInfo.supports_web_search === true),
    supports_reasoning: can('reasoning'),
    supported_openai_params: embeds ? embeddingParams : chatParams,
    configurable_clientside_auth_params: deployments[0]?.callerMaySet.map((entry) => entry.field) ?? null,
    is_public_model_group: false,
    health_status: healthy ? 'healthy' : 'unhealthy',
  };
}

/** From nano-dollars per million tokens to dollars per token. */
export function perToken(rate: number | undefined): number | null {
  return rate === undefined ? null : Number((rate / 1e15).toPrecision(12));
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}
function largest(values: readonly (number | null)[]): number | null {
  return known(values).length === 0 ? null : Math.max(...known(values));
}
function smallest(values: readonly (number | null)[]): number | null {
  return known(values).length === 0 ? null : Math.min(...known(values));
}
function sum(values: readonly (number | null)[]): number | null {
  return known(values).length === 0 ? null : known(values).reduce((total, value) => total + value, 0);
}

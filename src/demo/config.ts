import { cloudModel, selfHostedModel } from './models.ts';

/**
 * The config that serves when none is given, in the same format as a user's own file. `upstreamUrl` is where the
 * simulated models listen, for example `http://127.0.0.1:49152`.
 */
export function demoConfig(upstreamUrl: string): string {
  return `# Two simulated models on this machine: nothing leaves it and no key is needed.
model_list:
  - model_name: ${selfHostedModel.name}
    litellm_params:
      model: hosted_vllm/${selfHostedModel.servedName}
      api_base: ${upstreamUrl}/${selfHostedModel.name}/v1
      api_key: none
      # A rented H100 at 2.01 dollars an hour that produces 30,000 tokens a second.
      gpu_cost_per_hour: 2.01
      tokens_per_second: 30000

  - model_name: ${cloudModel.name}
    litellm_params:
      model: openai/${cloudModel.servedName}
      api_base: ${upstreamUrl}/${cloudModel.name}/v1
      api_key: none
      input_cost_per_token: 0.00000015
      output_cost_per_token: 0.0000006

router_settings:
  # When the self-hosted model is down, the cloud model answers.
  fallbacks: [{"${selfHostedModel.name}": ["${cloudModel.name}"]}]
`;
}

import { price } from './price.ts';

/** A gateway of one model, whose answers cost what was held for them. */
export function exactConfig(upstreamUrl: string): string {
  return `
model_list:
  - model_name: ${price.exactModel}
    litellm_params:
      model: openai/${price.exactModel}
      api_base: "${upstreamUrl}/v1"
      api_key: none
      input_cost_per_token: 0
      output_cost_per_token: ${price.outputNanodollars / 1e9}
`;
}

import { defineProvider } from '../define.ts';

export const wandb = defineProvider({
  id: 'wandb',
  name: 'Weights & Biases Inference',
  documentation: 'https://docs.wandb.ai/inference/api-reference',
  baseUrl: 'https://api.inference.wandb.ai/v1',
  baseUrlVariable: 'WANDB_API_BASE',
  credentialVariable: 'WANDB_API_KEY',
});

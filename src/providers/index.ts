import type { Provider, ProviderDirectory } from '../core/provider.ts';
import { anthropic } from './anthropic/index.ts';
import { azure } from './azure/index.ts';
import { deepseek } from './deepseek/index.ts';
import { fireworksAi } from './fireworks_ai/index.ts';
import { groq } from './groq/index.ts';
import { hostedVllm } from './hosted_vllm/index.ts';
import { mistral } from './mistral/index.ts';
import { ollama } from './ollama/index.ts';
import { openai } from './openai/index.ts';
import { openaiLike } from './openai_like/index.ts';
import { openrouter } from './openrouter/index.ts';
import { togetherAi } from './together_ai/index.ts';

/** Every provider, one line each. */
export const providers: readonly Provider[] = [
  anthropic,
  azure,
  deepseek,
  fireworksAi,
  groq,
  hostedVllm,
  mistral,
  ollama,
  openai,
  openaiLike,
  openrouter,
  togetherAi,
];

const byId = new Map(providers.flatMap((provider) => [provider.id, ...provider.aliases].map((id) => [id, provider])));

export const providerDirectory: ProviderDirectory = {
  byId: (id) => byId.get(id),
  byModel: (model) => providers.find((provider) => provider.ownsModel(model)),
  ids: [...byId.keys()],
};

import { expect, it } from 'vitest';
import { plainOptions } from '../../../test/contract/dialect.ts';
import { providerContract } from '../../../test/contract/provider.ts';
import { openaiChat } from '../../dialects/openai-chat/index.ts';
import { nvidiaNim } from './index.ts';

const ranker = 'nvidia/llama-3.2-nv-rerankqa-1b-v2';

providerContract(nvidiaNim, [
  {
    dialect: 'openai-chat',
    model: 'meta/llama-3.3-70b-instruct',
    address: 'https://integrate.api.nvidia.com/v1/chat/completions',
  },
  {
    dialect: 'openai-completions',
    model: 'm',
    address: 'https://integrate.api.nvidia.com/v1/completions',
  },
  {
    dialect: 'openai-embeddings',
    model: 'm',
    address: 'https://integrate.api.nvidia.com/v1/embeddings',
  },
  {
    dialect: 'nim-embeddings',
    model: 'nvidia/nv-embedqa-e5-v5',
    address: 'https://integrate.api.nvidia.com/v1/embeddings',
  },
  {
    settings: { model: ranker },
    dialect: 'nim-ranking',
    model: ranker,
    address: 'https://ai.api.nvidia.com/v1/retrieval/nvidia/llama-3_2-nv-rerankqa-1b-v2/reranking',
  },
  {
    settings: { model: ranker, baseUrl: 'http://nim:8000/v1' },
    dialect: 'nim-ranking',
    model: ranker,
    address: 'http://nim:8000/v1/ranking',
  },
]);

it('is spared what only helps a cache', () => {
  const messages = [{ role: 'user', content: 'x' }];
  const options = { ...plainOptions, model: 'm', traits: { ...plainOptions.traits, ...nvidiaNim.traits('m') } };
  const edits = openaiChat.passThrough({ model: 'm', messages, prompt_cache_key: 'k', nvext: {} }, options);
  expect([...edits]).toEqual([['prompt_cache_key', undefined]]);
});

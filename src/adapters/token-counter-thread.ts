import { parentPort } from 'node:worker_threads';
import type { CountAnswer, CountQuestion, Encoding } from './token-counter.ts';

const loaders: Record<Encoding, () => Promise<{ countTokens(text: string): number }>> = {
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
};

parentPort?.on('message', async ({ id, text, encoding }: CountQuestion) => {
  const { countTokens } = await loaders[encoding]();
  parentPort?.postMessage({ id, tokens: countTokens(text) } satisfies CountAnswer);
});

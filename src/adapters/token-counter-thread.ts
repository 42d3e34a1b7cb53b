import { parentPort } from 'node:worker_threads';
import type { CountAnswer, CountQuestion, Encoding } from './token-counter.ts';

interface Vocabulary {
  countTokens(text: string, options: { disallowedSpecial: Set<string> }): number;
}

const loaders: Record<Encoding, () => Promise<Vocabulary>> = {
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
};

/** Marks of the vocabulary (`<|endoftext|>`) are words like others in what callers send. */
const asPlainText = { disallowedSpecial: new Set<string>() };

parentPort?.on('message', async ({ id, text, encoding }: CountQuestion) => {
  const { countTokens } = await loaders[encoding]();
  parentPort?.postMessage({ id, tokens: countTokens(text, asPlainText) } satisfies CountAnswer);
});

import { afterAll, describe, expect, it } from 'vitest';
import { TokenCounter } from './token-counter.ts';

describe('the token counter', () => {
  // Loading a vocabulary takes a while on a busy machine; the deadline under test is set apart.
  const counter = new TokenCounter({ deadlineMs: 20_000 });
  afterAll(() => counter.close());

  it('counts exactly with the vocabulary of the model', async () => {
    expect(await counter.count('Hello, world!', 'gpt-4o-mini')).toEqual({
      tokens: 4,
      exact: true,
      tokenizer: 'o200k_base',
    });
    expect(await counter.count('Hello, world!', 'some-llama')).toMatchObject({ tokens: 4, tokenizer: 'cl100k_base' });
  });

  it('counts the marks of a vocabulary as the words they are', async () => {
    const counted = await counter.count('Say <|endoftext|> twice.', 'gpt-4o');
    expect(counted).toMatchObject({ exact: true, tokenizer: 'o200k_base' });
    expect(counted.tokens).toBeGreaterThan(6);
  });

  it('estimates what is too long to count', async () => {
    const short = new TokenCounter({ charactersMax: 10 });
    expect(await short.count('x'.repeat(40), 'gpt-4o')).toEqual({ tokens: 10, exact: false, tokenizer: 'estimate' });
  });

  it('gives an estimate at the deadline, ends the thread, and counts the next text in a new one', async () => {
    const hasty = new TokenCounter({ deadlineMs: 1 });
    const startedAt = performance.now();
    expect((await hasty.count('漢'.repeat(50_000), 'gpt-4o')).exact).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await hasty.close();
    expect((await counter.count('still here', 'gpt-4o')).exact).toBe(true);
  });
});

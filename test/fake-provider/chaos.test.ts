import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeProvider, randomScript, seededRandom, startFakeProvider } from './index.ts';

let fake: FakeProvider;
beforeAll(async () => {
  fake = await startFakeProvider();
});
afterAll(() => fake.close());

test('a seed always writes the same scripts', () => {
  const written = (seed: number) => {
    const random = seededRandom(seed);
    return JSON.stringify(Array.from({ length: 50 }, () => randomScript(random)));
  };
  expect(written(7)).toBe(written(7));
  expect(written(7)).not.toBe(written(8));
});

test('every random script ends, is recorded and is billed exactly once', async () => {
  const random = seededRandom(1);
  const rounds = 80;
  for (let round = 0; round < rounds; round += 1) {
    fake.enqueue(randomScript(random));
    const isAnthropic = random() < 0.5;
    await fetch(`${fake.url}${isAnthropic ? '/v1/messages' : '/v1/chat/completions'}`, {
      method: 'POST',
      headers: { 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({
        model: 'm',
        max_tokens: 30,
        stream: random() < 0.7,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    })
      .then((answer) => answer.arrayBuffer())
      .catch(() => undefined);
  }
  await Promise.all(fake.requests.map((request) => request.ended));
  // fetch itself may repeat nothing: POSTs on a broken connection are the caller's to repeat.
  expect(fake.requests).toHaveLength(rounds);
  expect(fake.invoice.map((entry) => entry.state)).toEqual(Array(rounds).fill('billed'));
});

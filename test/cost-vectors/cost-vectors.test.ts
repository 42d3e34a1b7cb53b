import { describe, expect, it } from 'vitest';
import { costVectors, resultOf } from './vector.ts';

describe('cost vectors', () => {
  it('are at least 300, at least 40 of them worked out by hand', () => {
    expect(costVectors.length).toBeGreaterThanOrEqual(300);
    expect(costVectors.filter(({ byHand }) => byHand).length).toBeGreaterThanOrEqual(40);
  });

  for (const format of ['chat', 'chat-stream', 'messages', 'messages-stream', 'embeddings'] as const) {
    it.each(costVectors.filter((vector) => vector.format === format))(`${format} $id: $note`, (vector) => {
      expect(resultOf(vector)).toEqual(vector.expected);
    });
  }
});

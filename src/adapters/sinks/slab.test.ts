import { expect, test } from 'vitest';
import { Slab } from './slab.ts';

test('What is kept stands side by side in memory of its own, unchanged by what comes after', () => {
  const slab = new Slab();
  const kept = Array.from({ length: 200 }, (_, index) => slab.keep(Buffer.alloc(1_000, index)));
  for (const [index, bytes] of kept.entries()) expect(bytes.equals(Buffer.alloc(1_000, index))).toBe(true);
  const memory = new Set(kept.map(({ buffer }) => buffer));
  expect([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(200_000 * 1.35);
});

test('What is long gets exactly what it needs', () => {
  const bytes = Buffer.alloc(50_000, 7);
  const kept = new Slab().keep(bytes);
  expect(kept.equals(bytes)).toBe(true);
  expect(kept.buffer.byteLength).toBe(50_000);
});

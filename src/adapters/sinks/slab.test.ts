import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Kept, Slabs } from './slab.ts';

test('What is kept stands side by side in memory of its own, unchanged by what comes after', () => {
  const slabs = new Slabs();
  const kept = Array.from({ length: 200 }, (_, index) => slabs.keep(Buffer.alloc(1_000, index)));
  for (const [index, { bytes }] of kept.entries()) expect(bytes.equals(Buffer.alloc(1_000, index))).toBe(true);
  const memory = new Set(kept.map(({ bytes }) => bytes.buffer));
  expect([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(200_000 * 1.35);
});

test('What is long gets exactly what it needs', () => {
  const bytes = Buffer.alloc(50_000, 7);
  const kept = new Slabs().keep(bytes);
  expect(kept.bytes.equals(bytes)).toBe(true);
  expect(kept.bytes.buffer.byteLength).toBe(50_000);
});

test('Memory that all have left is used again', () => {
  const slabs = new Slabs();
  const memory = new Set<ArrayBufferLike>();
  for (let round = 0; round < 100; round++) {
    const kept = Array.from({ length: 100 }, (_, index) => slabs.keep(Buffer.alloc(1_000, index)));
    for (const { bytes } of kept) memory.add(bytes.buffer);
    for (const one of kept) slabs.release(one);
  }
  expect(memory.size).toBeLessThan(4);
});

test('Nothing that is kept is written over, in whatever order others leave', () => {
  const step = fc.record({ length: fc.integer({ min: 1, max: 9_000 }), leaves: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const slabs = new Slabs();
      const waiting: { kept: Kept; copy: Buffer }[] = [];
      for (const [index, { length, leaves }] of steps.entries()) {
        const copy = Buffer.alloc(length, index);
        waiting.push({ kept: slabs.keep(copy), copy });
        if (leaves % 3 > 0) slabs.release(waiting.splice(leaves % waiting.length, 1)[0]!.kept);
        for (const { kept, copy } of waiting) expect(kept.bytes.equals(copy)).toBe(true);
      }
    }),
  );
});

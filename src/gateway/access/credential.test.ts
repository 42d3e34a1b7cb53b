import { expect, it } from 'vitest';
import { keyIdOf } from './credential.ts';

it('gives every key an id of its own, however much of it is the same as another', () => {
  const key = `sk-${'a'.repeat(200)}`;
  const others = [
    `${key}b`,
    key.slice(0, -1),
    `${key.slice(0, -1)}b`,
    `sk-b${key.slice(4)}`,
    key.toUpperCase(),
    ` ${key}`,
  ];
  const ids = [key, ...others].map(keyIdOf);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{64}$/);
});

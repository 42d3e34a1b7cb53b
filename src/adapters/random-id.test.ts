import { expect, it } from 'vitest';
import { randomId } from './random-id.ts';

it('makes UUIDs of version 4, each once, with every other digit drawn', () => {
  const ids = Array.from({ length: 10_000 }, () => randomId());
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  for (let place = 0; place < 36; place++) {
    const digits = new Set(ids.map((id) => id[place]));
    const expected = [8, 13, 18, 23, 14].includes(place) ? 1 : place === 19 ? 4 : 16;
    expect(digits.size).toBe(expected);
  }
});

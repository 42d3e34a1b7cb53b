import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { timeOrderedId } from './request-id.ts';

it('is a UUID of version 7 that sorts by time and stays unique within one millisecond', () => {
  const times = [0, 1, 1_700_000_000_000, 1_700_000_000_000, 1_800_000_000_001];
  const ids = times.map((time) => timeOrderedId(randomUUID(), time));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.map((id) => id.slice(0, 13))).toEqual(ids.map((id) => id.slice(0, 13)).sort());
  expect(Number.parseInt(ids[2]!.slice(0, 13).replace('-', ''), 16)).toBe(1_700_000_000_000);
});

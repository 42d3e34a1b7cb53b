import { expect, it } from 'vitest';
import { asAdmitted, asAnswered, asIdentified, asPlanned, asReceived, asSettled } from './exchange.ts';

/** Has every field, whose value is its name. */
const everything = new Proxy({}, { get: (_target, name) => name }) as never;

it('takes over every field of every station', () => {
  const received = asReceived(everything);
  const planned = asPlanned(asIdentified(received, received.snapshot, everything), everything);
  const settled = asSettled(asAnswered(asAdmitted(planned, everything), everything), everything);
  expect(settled).toBe(received);
  const names = Object.keys(settled);
  expect(names.length).toBeGreaterThan(30);
  expect(settled).toEqual(Object.fromEntries(names.map((name) => [name, name])));
});

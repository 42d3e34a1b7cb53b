import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Roster } from './roster.ts';

it('holds what a Set would, whoever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
      const members = Array.from({ length: 10 }, (_, name) => ({ name, place: -1 }));
      const roster = new Roster<(typeof members)[number]>();
      const set = new Set<(typeof members)[number]>();
      for (const [comes, name] of steps) {
        const member = members[name]!;
        if (comes) roster.add(member);
        else roster.delete(member);
        if (comes) set.add(member);
        else set.delete(member);
        expect(roster.size).toBe(set.size);
        expect(new Set(roster)).toEqual(set);
      }
    }),
  );
});

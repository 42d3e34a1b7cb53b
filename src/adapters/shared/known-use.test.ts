import { describe, expect, it } from 'vitest';
import { rateLimit } from '../../../test/builders.ts';
import { KnownUse } from './known-use.ts';

describe('what Redis last said of a limit', () => {
  it('leaves each of the replicas its part of what was left, for as long as the window may be full', () => {
    const known = new KnownUse();
    const rule = rateLimit({ limit: 60 });
    expect(known.beyond(rule, 1, 3, 0)).toBeNull();
    known.saw(rule, 54, 1_000);
    for (let taken = 0; taken < 2; taken++) {
      expect(known.beyond(rule, 1, 3, 1_500)).toBeNull();
      known.took(rule, 1);
    }
    expect(known.beyond(rule, 1, 3, 2_000)).toEqual({ used: 56, waitMs: 59_000 });
    expect(known.beyond({ ...rule }, 1, 3, 2_000)).not.toBeNull();
    expect(known.beyond(rule, 1, 3, 61_000)).toBeNull();
    known.saw(rule, 60, 70_000);
    expect(known.beyond(rule, 1, 3, 70_001)).not.toBeNull();
  });
});

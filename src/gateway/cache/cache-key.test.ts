import { describe, expect, it } from 'vitest';
import { planned, principal } from '../../../test/builders.ts';
import type { CacheSettings } from '../../core/route.ts';
import { cacheKey } from './cache-key.ts';

const settings: CacheSettings = {
  ttlMs: 1_000,
  namespace: '',
  byDefault: true,
  operations: ['chat'],
  bytesMax: 1_000,
  scope: 'key',
};
const mine = principal({ keyId: 'mine', teamId: 'team' });
const colleague = principal({ keyId: 'colleague', teamId: 'team' });
const stranger = principal({ keyId: 'stranger', teamId: 'other team' });
const alone = principal({ keyId: 'alone' });

const keysOf = (scope: CacheSettings['scope'], principals: readonly ReturnType<typeof principal>[]) =>
  principals.map((one) => cacheKey(planned({ principal: one }), { ...settings, scope }, null));

describe('the cache key', () => {
  it('is shared by who may share: nobody, a team, everybody', () => {
    expect(new Set(keysOf('key', [mine, colleague, stranger, alone])).size).toBe(4);
    const [ofMine, ofColleague, ofStranger, ofAlone] = keysOf('team', [mine, colleague, stranger, alone]);
    expect(ofMine).toBe(ofColleague);
    expect(new Set([ofMine, ofStranger, ofAlone]).size).toBe(3);
    expect(new Set(keysOf('global', [mine, colleague, stranger, alone])).size).toBe(1);
  });

  it('does not take a key for a team of the same name', () => {
    const [key, team] = keysOf('team', [principal({ keyId: 'same' }), principal({ keyId: 'x', teamId: 'same' })]);
    expect(key).not.toBe(team);
  });
});

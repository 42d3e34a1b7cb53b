import { describe, expect, it } from 'vitest';
import { FreshCache } from './fresh-cache.ts';

function cacheWith(servesStale: boolean) {
  const world = { now: 0, away: false, loads: 0 };
  const cache = new FreshCache<string>({
    load: async (key) => {
      world.loads += 1;
      if (world.away) throw new Error('away');
      return { value: `${key}${world.loads}`, sources: [key] };
    },
    tick: () => world.now,
    entriesMax: 10,
    ttlMs: 1_000,
    isAbsent: () => false,
    absentMax: 10,
    absentTtlMs: 100,
    servesStale: () => servesStale,
  });
  return { cache, world };
}

describe('while the store is away', () => {
  it('what was known serves on where the operator allows it, until it is forgotten', async () => {
    const { cache, world } = cacheWith(true);
    expect(await cache.get('a')).toBe('a1');
    world.away = true;
    world.now = 60_000;
    expect(await cache.get('a')).toBe('a1');
    await expect(cache.get('b')).rejects.toThrow('away');
    cache.forget('a');
    await expect(cache.get('a')).rejects.toThrow('away');
    world.away = false;
    expect(await cache.get('a')).toMatch(/^a\d/);
  });

  it('otherwise nothing that is too old is used', async () => {
    const { cache, world } = cacheWith(false);
    await cache.get('a');
    world.away = true;
    world.now = 60_000;
    await expect(cache.get('a')).rejects.toThrow('away');
  });
});

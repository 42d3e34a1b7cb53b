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

it('forgets what was made from a source, also when it was made anew from others, and nothing else', async () => {
  const sources = new Map<string, string[]>();
  const loads: string[] = [];
  const cache = new FreshCache<string>({
    load: async (key) => {
      loads.push(key);
      return { value: key, sources: sources.get(key)! };
    },
    tick: () => 0,
    entriesMax: 3,
    ttlMs: 1_000,
    isAbsent: () => false,
    absentMax: 1,
    absentTtlMs: 100,
  });
  const loadedBy = async (...keys: string[]) => {
    loads.length = 0;
    for (const key of keys) await cache.get(key);
    return [...loads];
  };
  sources.set('a', ['a', 'team']).set('b', ['b', 'team']).set('c', ['c']);
  expect(await loadedBy('a', 'b', 'c', 'a')).toEqual(['a', 'b', 'c']);
  cache.forget('team');
  expect(await loadedBy('a', 'b', 'c')).toEqual(['a', 'b']);
  // It moves to another team.
  sources.set('a', ['a', 'other team']);
  cache.forget('a');
  await loadedBy('a');
  cache.forget('team');
  expect(await loadedBy('a', 'b', 'c')).toEqual(['b']);
  cache.forget('other team');
  expect(await loadedBy('a')).toEqual(['a']);
  // What had to make room is not spoken of any more.
  sources.set('d', ['d']);
  expect(await loadedBy('d')).toEqual(['d']);
  cache.forget(null);
  expect(await loadedBy('a', 'd')).toEqual(['a', 'd']);
});

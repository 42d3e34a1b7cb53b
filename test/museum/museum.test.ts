import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changed } from './exhibit.ts';
import { exhibits } from './exhibits/index.ts';
import { root } from './overlay.ts';
import { tour } from './tour.ts';

/** One of each hall whose tests are quick; `npm run museum` shows them all. */
const quick = [
  'cached tokens are paid twice, as cached and as input',
  'what does not fit is admitted under a smaller hold',
  'keys that begin alike are the same key',
  'what the caller did wrong is tried again elsewhere',
];

describe('the bug museum', () => {
  it('has at least 25 exhibits, each under a name of its own', () => {
    expect(exhibits.length).toBeGreaterThanOrEqual(25);
    expect(new Set(exhibits.map(({ name }) => name)).size).toBe(exhibits.length);
  });

  it.each(exhibits)('can still bring back: $name', (exhibit) => {
    const source = readFileSync(join(root, exhibit.file), 'utf8');
    expect(changed(source, exhibit)).not.toBe(source);
    for (const file of exhibit.tests) expect(existsSync(join(root, file)), file).toBe(true);
  });

  it('catches what it brings back', async () => {
    const chosen = exhibits.filter(({ name }) => quick.includes(name));
    expect(chosen).toHaveLength(quick.length);
    const missed = (await tour(chosen, 2)).filter(({ caught }) => !caught);
    expect(missed).toEqual([]);
  }, 120_000);
});

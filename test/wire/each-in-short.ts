import { describe, expect, it } from 'vitest';
import type { WireRow } from './row.ts';

const limitMs = 120_000;

/** Promises about streams and HTTP, in short: each with gateways and hostile providers of its own. */
export function eachInShort(title: string, rows: readonly WireRow[]): void {
  describe(title, () => {
    it.each(rows.map((row) => [`${row.row}. ${row.promise}`, row] as const))(
      '%s',
      async (_, row) => {
        const { broken, figures } = await row.run('short');
        expect(broken, JSON.stringify(figures)).toEqual([]);
      },
      limitMs,
    );
  });
}

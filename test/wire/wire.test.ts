import { describe, expect, it } from 'vitest';
import { wireRows } from './rows/index.ts';

/* The promises about streams and HTTP, in short: each with gateways and hostile providers of its own. */
describe('on the wire', () => {
  it.each(wireRows.map((row) => [`${row.row}. ${row.promise}`, row] as const))(
    '%s',
    async (_, row) => {
      const { broken, figures } = await row.run('short');
      expect(broken, JSON.stringify(figures)).toEqual([]);
    },
    120_000,
  );
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rig, startRig } from './rig.ts';
import type { Row } from './row.ts';

const limitMs = 120_000;

/** Promises in short: real servers, real processes, and the provider's invoice as the oracle. */
export function overOneRig(title: string, rows: readonly Row[]): void {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  }, limitMs);
  afterAll(async () => {
    await rig?.close();
  });
  describe(title, () => {
    it.each(rows.map((row) => [`${row.row}. ${row.promise}`, row] as const))(
      '%s',
      async (_, row) => {
        const { broken, figures } = await row.run(rig, 'short');
        expect(broken, JSON.stringify(figures)).toEqual([]);
      },
      limitMs,
    );
  });
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rig, startRig } from './rig.ts';
import { rows } from './rows/index.ts';

/* The promises about money and revoked keys, in short: real servers, real processes, and the provider's invoice as the oracle. */

const limitMs = 120_000;
let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
}, limitMs);

afterAll(async () => {
  await rig?.close();
});

describe('while things die', () => {
  it.each(rows.map((row) => [`${row.row}. ${row.promise}`, row] as const))(
    '%s',
    async (_, row) => {
      const { broken, figures } = await row.run(rig, 'short');
      expect(broken, JSON.stringify(figures)).toEqual([]);
    },
    limitMs,
  );
});

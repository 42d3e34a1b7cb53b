import { describe, expect, it } from 'vitest';
import { run } from './run.ts';

const seedsPerBlock = 25;
const blocks = 8;
const steps = 300;

describe('simulation of the ledger', () => {
  for (let block = 0; block < blocks; block++) {
    const first = 1 + block * seedsPerBlock;
    it(`balances the books for seeds ${first} to ${first + seedsPerBlock - 1}`, async () => {
      let requests = 0;
      for (let seed = first; seed < first + seedsPerBlock; seed++) {
        const result = await run(seed, steps).catch((cause) => {
          throw new Error(`npm run simulate -- --seed ${seed} --steps ${steps}`, { cause });
        });
        requests += result.requests;
      }
      expect(requests).toBeGreaterThan(seedsPerBlock * 10);
    });
  }
});

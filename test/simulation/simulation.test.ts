import { describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { Tally } from './tally.ts';

const seedsPerBlock = 15;
const blocks = 6;
const steps = 500;

describe('simulation of whole gateways', () => {
  const tally = new Tally();
  for (let block = 0; block < blocks; block++) {
    const first = 1 + block * seedsPerBlock;
    it(`balances the books for seeds ${first} to ${first + seedsPerBlock - 1}`, async () => {
      for (let seed = first; seed < first + seedsPerBlock; seed++) {
        const result = await run(seed, steps).catch((cause) => {
          throw new Error(`npm run simulate -- --seed ${seed} --steps ${steps}`, { cause });
        });
        tally.add(result);
      }
    });
  }

  it('has given every command, met every behaviour and had processes die', () => {
    expect(tally.commands.size).toBe(19);
    expect(tally.behaviours.size).toBe(12);
    expect(tally.struck.size).toBeGreaterThan(25);
    expect(tally.deaths).toBeGreaterThan(50);
    expect(tally.counts.answered).toBeGreaterThan(200);
  });
});

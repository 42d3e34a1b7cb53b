import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Processes and servers, and seconds of waiting for them: begun first, so that none of them is alone at the end. */
const longest = [
  'test/journeys/huge-arguments.test.ts',
  'src/adapters/shared-limits.test.ts',
  'test/journeys/policies.test.ts',
  'test/journeys/postgres.test.ts',
  'test/journeys/every-client.test.ts',
  'test/journeys/provider-batches.test.ts',
  'test/journeys/bad-start.test.ts',
  'test/journeys/kill-nine.test.ts',
  'test/journeys/batches.test.ts',
  'test/contract/postgres-faults.test.ts',
  'test/journeys/realtime-transcripts.test.ts',
  'src/adapters/sinks/contract.test.ts',
  'src/adapters/redis/topologies.test.ts',
  'test/journeys/second-purchase.test.ts',
  'test/journeys/reload.test.ts',
  'test/journeys/cloud-batches.test.ts',
];
/** Promises with times in them, over several gateways at once: nobody runs beside them but each other. */
const measured = ['test/chaos/*.test.ts', 'test/wire/*.test.ts', 'bench/bench.test.ts'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/servers/shared.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // A process runs many files: what they import is read once. None leaves anything behind that another could see.
    isolate: false,
    reporters: process.env.CI ? ['default'] : ['dot'],
    allowOnly: false,
    passWithNoTests: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...measured],
          // One more than the two processors that all is made for: much of it is waiting.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'measured', include: measured, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});

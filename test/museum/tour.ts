import type { Exhibit } from './exhibit.ts';
import { Overlay, type TestRun } from './overlay.ts';

export interface Finding {
  readonly exhibit: Exhibit;
  /** True when a test failed because of the bug. */
  readonly caught: boolean;
  readonly run: TestRun;
}

/** Brings the bugs back one at a time, in so many copies of the sources side by side. */
export async function tour(
  exhibits: readonly Exhibit[],
  parallel: number,
  onFinding: (finding: Finding) => void = () => {},
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const queue = [...exhibits];
  const walk = async () => {
    const overlay = new Overlay();
    try {
      for (let exhibit = queue.shift(); exhibit !== undefined; exhibit = queue.shift()) {
        const run = await overlay.runWith(exhibit);
        const finding = { exhibit, caught: run.failed > 0 && run.broken.length === 0, run };
        findings.push(finding);
        onFinding(finding);
      }
    } finally {
      overlay.remove();
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, exhibits.length) }, walk));
  return findings;
}

const unharmedMsMax = 300_000;

/** The tests of all exhibits without any bug: they must pass, or their failure proves nothing. */
export async function unharmed(exhibits: readonly Exhibit[]): Promise<TestRun> {
  const whole = exhibits.filter(({ only }) => only === undefined);
  const partly = exhibits.filter(({ only }) => only !== undefined);
  const overlay = new Overlay();
  try {
    const runs: TestRun[] = [];
    for (const some of [whole, partly]) {
      if (some.length === 0) continue;
      const only = some === partly ? partly.map((exhibit) => exhibit.only).join('|') : undefined;
      runs.push(await overlay.run([...new Set(some.flatMap(({ tests }) => tests))], only, unharmedMsMax));
    }
    return {
      passed: runs.reduce((sum, { passed }) => sum + passed, 0),
      failed: runs.reduce((sum, { failed }) => sum + failed, 0),
      broken: runs.flatMap(({ broken }) => broken),
      ms: runs.reduce((sum, { ms }) => sum + ms, 0),
    };
  } finally {
    overlay.remove();
  }
}

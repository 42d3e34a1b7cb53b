import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { changed, type Exhibit } from './exhibit.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));

const copied = ['src', 'test', 'scripts', 'bin', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** An exhibit that takes longer is not worth its time. */
export const exhibitMsMax = 60_000;
/** Some bugs make a test wait for ever. */
const testMsMax = 15_000;

/** What a run of tests came to. */
export interface TestRun {
  readonly passed: number;
  readonly failed: number;
  /** Files that could not even be loaded, and runs that came to no result. */
  readonly broken: string[];
  readonly ms: number;
}

/** A copy of the sources that may be broken and mended; the installed packages are shared with the original. */
export class Overlay {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tollgate-museum-'));

  constructor() {
    for (const name of copied) cpSync(join(root, name), join(this.#folder, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** Runs the exhibit's tests with its bug in place. */
  async runWith(exhibit: Exhibit): Promise<TestRun> {
    const original = readFileSync(join(root, exhibit.file), 'utf8');
    const file = join(this.#folder, exhibit.file);
    writeFileSync(file, changed(original, exhibit));
    try {
      return await this.run(exhibit.tests, exhibit.only, exhibitMsMax, true);
    } finally {
      writeFileSync(file, original);
    }
  }

  /** Runs test files as they are in the copy. */
  run(tests: readonly string[], only: string | undefined, limitMs: number, stopAtFirst = false): Promise<TestRun> {
    const report = join(this.#folder, 'report.json');
    rmSync(report, { force: true });
    const words = ['run', ...tests, '--reporter=json', `--outputFile=${report}`, `--maxWorkers=${stopAtFirst ? 1 : 2}`];
    if (stopAtFirst) words.push('--bail=1', `--testTimeout=${testMsMax}`, `--hookTimeout=${testMsMax}`);
    if (only !== undefined) words.push('-t', only);
    const startedAt = performance.now();
    const { promise, resolve } = Promise.withResolvers<TestRun>();
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...words], {
      cwd: this.#folder,
      env: environment(),
      stdio: 'ignore',
      detached: true,
    });
    // A bug that makes a test hang is caught by this limit, and counts as a failure of the test.
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      process.kill(-child.pid!, 'SIGKILL');
    }, limitMs);
    child.on('exit', () => {
      clearTimeout(timer);
      const ms = performance.now() - startedAt;
      resolve(
        late ? { passed: 0, failed: 0, broken: [`no result after ${limitMs} ms`], ms } : { ...readReport(report), ms },
      );
    });
    return promise;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Without what a test runner around this one has set. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(VITEST|VITE_|NODE_ENV$|TEST$|TINYPOOL)/.test(name));
  return Object.fromEntries(kept);
}

interface JsonReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

function readReport(file: string): Omit<TestRun, 'ms'> {
  let report: JsonReport;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as JsonReport;
  } catch {
    return { passed: 0, failed: 0, broken: ['the run left no report'] };
  }
  const broken = report.testResults
    .filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
    )
    .map(({ name, message }) => `${name}: ${message}`);
  return { passed: report.numPassedTests, failed: report.numFailedTests, broken };
}

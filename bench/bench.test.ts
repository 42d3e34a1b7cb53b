import { afterAll, beforeAll, expect, test } from 'vitest';
import { Generator } from './generator.ts';
import type { HistoryEntry } from './history.ts';
import { type Figures, Measurement } from './phases.ts';
import { plot } from './plot.ts';
import { ratchet, table, verdicts, wideTable } from './report.ts';
import { type RunningTarget, startUpstream, targets } from './targets.ts';

let generator: Generator;
const running: RunningTarget[] = [];
beforeAll(async () => {
  generator = new Generator();
  const upstream = await startUpstream();
  running.push(upstream, await targets.find((target) => target.name === 'proxy')!.start(upstream.port));
});
afterAll(async () => {
  generator.close();
  await Promise.all(running.map((target) => target.stop()));
});

test('measures each target with every figure filled in', async () => {
  const plan = {
    warmUpRequests: 200,
    closedMs: 100,
    openMs: 100,
    streamMs: 100,
    turns: 1,
    afterworkMs: 0,
    longRequests: 200,
    wide: true,
  };
  const results = await new Measurement(generator, plan, () => undefined).run(running);
  expect([...results.keys()]).toEqual(['upstream', 'proxy']);
  for (const figures of results.values()) {
    expect(figures.failures, figures.firstFailure).toBe(0);
    expect(figures.closedRequestsPerSecond).toBeGreaterThan(100);
    expect(figures.open['100']!.p50).toBeGreaterThan(0);
    expect(figures.open['1000']!.p99).toBeGreaterThanOrEqual(figures.open['1000']!.p50);
    expect(figures.cpuMicrosecondsPerStream).toBeGreaterThanOrEqual(0);
    expect(figures.residentEndMegabytes).toBeGreaterThan(10);
    expect(figures.residentCurveMegabytes).toHaveLength(10);
    expect(Object.keys(figures.prompts!)).toEqual(['1 KB', '100 KB', '1024 KB']);
    expect(figures.connections!['1000']!.requestsPerSecond).toBeGreaterThan(10);
  }
  expect(wideTable(results).split('\n')).toHaveLength(4);
  const lines = table(results).split('\n');
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(verdicts(results)).toEqual([]);
});

test('a load that fails is counted and says why', async () => {
  const load = {
    path: '/v1/chat/completions',
    headers: {},
    body: '{"stream":true}',
    arrival: { kind: 'open', perSecond: 200 },
    requestsMax: 3,
    durationMs: 1_000,
  } as const;
  const wrongEnd = await generator.run({ ...load, port: running[0]!.port, endsWith: 'never' });
  expect(wrongEnd).toMatchObject({ requests: 3, failures: 3, firstFailure: expect.stringContaining('[DONE]') });
  const nobody = await generator.run({ ...load, port: 1 });
  expect(nobody).toMatchObject({ requests: 3, failures: 3, firstFailure: expect.stringContaining('ECONNREFUSED') });
});

test('each limit can be met and missed', () => {
  const figures = (cpu: number, p50: number, resident: number, curve: number[]): Figures => ({
    failures: 0,
    closedRequestsPerSecond: 1,
    cpuMicrosecondsPerRequest: cpu,
    userMicrosecondsPerRequest: cpu,
    open: {
      100: { p50, p99: p50, cpuMicrosecondsPerRequest: cpu },
      1000: { p50, p99: p50, cpuMicrosecondsPerRequest: cpu },
    },
    cpuMicrosecondsPerStream: 0,
    residentStartMegabytes: 50,
    residentEndMegabytes: resident,
    residentCurveMegabytes: curve,
  });
  const flat = Array<number>(10).fill(120);
  const rising = flat.map((megabytes, index) => megabytes + index * 5);
  const judge = (gateway: Figures) =>
    verdicts(
      new Map([
        ['upstream', figures(50, 200, 90, flat)],
        ['proxy', figures(100, 500, 90, flat)],
        ['gateway', gateway],
      ]),
    ).map((verdict) => verdict.passed);
  expect(judge(figures(300, 1_199, 199, flat))).toEqual([true, true, true, true, true]);
  expect(judge({ ...figures(301, 1_300, 201, rising), failures: 1 })).toEqual([false, false, false, false, false]);
});

test('a run that costs a sixth more than the last one on record fails', () => {
  const of = (cpuMicrosecondsPerRequest: number) => ({ cpuMicrosecondsPerRequest }) as Figures;
  const run = (gateway: number) =>
    ratchet(
      new Map([
        ['proxy', of(100)],
        ['gateway', of(gateway)],
      ]),
      2,
    );
  expect(run(229)).toMatchObject([{ passed: true }]);
  expect(run(231)).toMatchObject([{ passed: false, measured: '2.31 times' }]);
  expect(ratchet(new Map([['proxy', of(100)]]), 2)).toEqual([]);
  const entry = { commit: 'abcdef123456', date: '2027-01-01', results: { proxy: of(100), gateway: of(250) } };
  expect(plot([entry as unknown as HistoryEntry])).toContain('abcdef123456 2027-01-01: 2.50');
});

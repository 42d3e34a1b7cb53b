import { buy, makeTenant } from '../buyers.ts';
import type { Replica } from '../replica.ts';
import type { Rig } from '../rig.ts';
import { pause, percentile, type Row, until } from '../row.ts';

const answerAfterMs = 20_000;
const addedMsMax = 100;
const noticedMsMax = 2_500;
const callsMax = 10;
/** What is under way when the breaker opens is late within so long; the first of its probes is late only after it. */
const underWayMs = 150;

interface Measured {
  readonly latenciesMs: readonly number[];
  readonly failures: readonly string[];
  /** Commits of the database in a second. */
  readonly commits: number;
}

/** Promise 21: Redis takes 20 s for every answer while requests go on. */
export const slowRedisRow: Row = {
  row: 21,
  promise: 'A slow dependency does not become an outage',
  target:
    'Redis at 20 s an answer, 200 req/s: p99 at most 100 ms more after 1 s; breaker open within 10 calls; PostgreSQL at most 1.5 times as busy',
  async run(rig, size) {
    const broken: string[] = [];
    const perSecond = size === 'short' ? 40 : 200;
    const lengthMs = size === 'short' ? 2_500 : 60_000;
    const { key } = await makeTenant(rig, { key: 1e12 }, { rpm_limit: 1_000_000, tpm_limit: 1_000_000_000 });
    for (const replica of rig.replicas)
      for (let turn = 0; turn < 10; turn++) await buy(rig, replica, { key, maxTokens: 3 });
    const before = await measure(rig, key, perSecond, lengthMs);
    const failsBefore = await redisFails(rig);
    for (const { toRedis } of rig.replicas) toRedis.delay(answerAfterMs);
    const opened = Promise.all(rig.replicas.map((replica, index) => failsUntilOpen(replica, failsBefore[index]!)));
    const start = await measure(rig, key, perSecond, 1_000);
    const during = await measure(rig, key, perSecond, lengthMs);
    const late = await opened;
    const failsInAll = (await redisFails(rig)).map((fails, index) => fails - failsBefore[index]!);
    for (const { toRedis } of rig.replicas) await toRedis.restore();
    const restoredAt = performance.now();
    const isBack = await until(async () => (await redisUp(rig)) === rig.replicas.length, 15_000);
    const backMs = performance.now() - restoredAt;
    await rig.calm();
    const p99 = (measured: Measured) => percentile(measured.latenciesMs, 0.99);
    const added = p99(during) - p99(before);
    const busier = during.commits / Math.max(1, before.commits);
    const failures = [before, start, during].flatMap((one) => one.failures);
    // Tight times say nothing on a machine that is shared with other tests.
    if (size === 'full') {
      if (added > addedMsMax) broken.push(`${Math.round(added)} ms more for one in a hundred`);
      if (busier > 1.5) broken.push(`PostgreSQL had ${busier.toFixed(2)} times as many commits`);
    }
    // A call that is late is waited for, but for 0.9 s at the most.
    if (p99(start) > noticedMsMax) broken.push(`${Math.round(p99(start))} ms when Redis became slow`);
    if (added > addedMsMax * 10) broken.push(`${Math.round(added)} ms more for one in a hundred`);
    if (Math.max(...late) > callsMax) broken.push(`a replica waited for ${Math.max(...late)} calls in vain`);
    if (failures.length > 0) broken.push(`${failures.length} requests failed: ${failures.slice(0, 3).join('; ')}`);
    if (!isBack) broken.push('Redis was not used again');
    return {
      figures: {
        'requests a second': perSecond,
        'requests while Redis is slow': start.latenciesMs.length + during.latenciesMs.length,
        failed: failures.length,
        'p99 before (ms)': Math.round(p99(before)),
        'p99 in the first second (ms)': Math.round(p99(start)),
        'p99 after the first second (ms)': Math.round(p99(during)),
        'calls of Redis that were late when the breaker opened, by replica': late.join(', '),
        'with its probes since then': failsInAll.join(', '),
        'commits of PostgreSQL, compared with before': busier.toFixed(2),
        'Redis used again after (ms)': Math.round(backMs),
      },
      broken,
    };
  },
};

/** Requests at a steady pace, whether the earlier ones were answered or not. */
async function measure(rig: Rig, key: string, perSecond: number, lengthMs: number): Promise<Measured> {
  const commitsBefore = await commits(rig);
  const startedAt = performance.now();
  const running: Promise<void>[] = [];
  const latenciesMs: number[] = [];
  const failures: string[] = [];
  for (let number = 0; performance.now() - startedAt < lengthMs; number++) {
    const dueAt = startedAt + (number * 1_000) / perSecond;
    if (dueAt > performance.now()) await pause(dueAt - performance.now());
    const replica = rig.replicas[number % rig.replicas.length]!;
    running.push(
      buy(rig, replica, { key, maxTokens: 2 }).then(({ status, body, startedAt: from, endedAt }) => {
        latenciesMs.push(endedAt - from);
        if (status !== 200) failures.push(`${status} ${Math.round(from - startedAt)} ms in: ${body.slice(0, 150)}`);
      }),
    );
  }
  await Promise.all(running);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { latenciesMs, failures, commits: ((await commits(rig)) - commitsBefore) / seconds };
}

async function commits(rig: Rig): Promise<number> {
  const [row] = await rig.query<{ count: number }>(
    'select xact_commit::float as count from pg_stat_database where datname = current_database()',
  );
  return row!.count;
}

async function metricOf({ url }: Replica, pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(pattern.exec(text)?.[1] ?? 0);
}

const failsPattern = /^litellm_redis_fails(?:_total)?(?:\{[^}]*\})? (\d+)/m;
const upPattern = /^\S*\{[^}]*"redis"[^}]*\} (\d+)/m;

const redisFails = (rig: Rig) => Promise.all(rig.replicas.map((replica) => metricOf(replica, failsPattern)));

/** How many calls failed until the replica made none any more, those under way at that moment included. */
async function failsUntilOpen(replica: Replica, before: number): Promise<number> {
  await until(async () => (await metricOf(replica, upPattern)) === 0, 10_000, 15);
  await pause(underWayMs);
  return (await metricOf(replica, failsPattern)) - before;
}

async function redisUp(rig: Rig): Promise<number> {
  const up = await Promise.all(rig.replicas.map((replica) => metricOf(replica, upPattern)));
  return up.filter((one) => one === 1).length;
}

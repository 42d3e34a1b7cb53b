import { crowd, makeTenant, type Purchase } from '../buyers.ts';
import type { Rig } from '../rig.ts';
import { pause, type Row } from '../row.ts';

const windowMs = 60_000;

/** The most requests answered with 200 whose whole time lies in one sliding window: they must have been admitted in it. */
export function mostInWindow(purchases: readonly Purchase[], ofMs = windowMs): number {
  const sold = purchases.filter(({ status }) => status === 200);
  let most = 0;
  for (const { startedAt } of sold) {
    const inside = sold.filter((one) => one.startedAt >= startedAt && one.endedAt <= startedAt + ofMs).length;
    most = Math.max(most, inside);
  }
  return most;
}

/** The most requests that were under way at one moment, as the provider saw them. */
async function mostAtOnce(rig: Rig, refs: ReadonlySet<string>): Promise<number> {
  const answer = await fetch(`${rig.upstream.url}/_fake/requests`);
  const requests = (await answer.json()) as {
    reference?: string;
    body: string;
    receivedAtMs: number;
    finishedAtMs?: number;
    abortedAtMs?: number;
  }[];
  const steps: [at: number, by: number][] = [];
  for (const request of requests) {
    const ref = /\[\[ref:([^\]]+)\]\]/.exec(request.body)?.[1];
    if (ref === undefined || !refs.has(ref)) continue;
    steps.push(
      [request.receivedAtMs, 1],
      [request.finishedAtMs ?? request.abortedAtMs ?? Number.POSITIVE_INFINITY, -1],
    );
  }
  steps.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  let now = 0;
  let most = 0;
  for (const [, by] of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** Promise 25: five times what a limit allows is offered to all replicas at once, with Redis and without. */
export const limitsRow: Row = {
  row: 25,
  promise: 'Rate limits hold over replicas',
  target:
    'admitted above the limit in any window: 0; with Redis dead the sum is within the limit, too; slots leaked: 0',
  async run(rig, size) {
    const broken: string[] = [];
    const figures: Record<string, string | number> = {};
    for (const isRedisUp of [true, false]) {
      const when = isRedisUp ? 'Redis up' : 'Redis dead';
      if (!isRedisUp) {
        await rig.redis.kill();
        await pause(size === 'short' ? 1_000 : 5_000);
      }
      const limit = 60;
      const { key } = await makeTenant(rig, {}, { rpm_limit: limit });
      const turns = size === 'short' ? 10 : 200;
      const purchases = await crowd(rig, {
        clients: 30,
        pauseMs: size === 'short' ? 10 : 500,
        wish: (_, turn) => (turn < turns ? { key, maxTokens: 1 } : null),
      });
      const most = mostInWindow(purchases);
      const refused = purchases.filter(({ status }) => status === 429).length;
      figures[`most requests in a minute, ${when}`] = `${most} of ${limit} allowed, ${purchases.length} offered`;
      if (most > limit) broken.push(`${when}: ${most} requests in a minute, ${limit} allowed`);
      if (isRedisUp && most < limit * 0.9)
        broken.push(`${when}: only ${most} of ${limit} allowed requests got through`);
      if (refused === 0) broken.push(`${when}: nothing was refused, so nothing was shown`);

      const slots = 6;
      const parallel = await makeTenant(rig, {}, { max_parallel_requests: slots });
      const wanted = await crowd(rig, {
        clients: 30,
        pauseMs: 10,
        wish: (_, turn) => (turn < (size === 'short' ? 6 : 100) ? { key: parallel.key, maxTokens: 30 } : null),
      });
      const atOnce = await mostAtOnce(rig, new Set(wanted.map(({ ref }) => ref)));
      figures[`most at once, ${when}`] = `${atOnce} of ${slots} allowed, ${wanted.length} offered`;
      if (atOnce > slots) broken.push(`${when}: ${atOnce} requests at once, ${slots} allowed`);
      if (atOnce === 0) broken.push(`${when}: nothing got through`);
      if (!isRedisUp) await rig.redis.start();
    }
    await rig.calm();
    return { figures, broken };
  },
};

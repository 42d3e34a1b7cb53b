import { buy, crowd, makeTenant, type Purchase } from '../buyers.ts';
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

interface Weather {
  readonly name: string;
  begin(rig: Rig): Promise<unknown> | unknown;
  /** While requests come: makes it worse. */
  during?(rig: Rig, isOver: () => boolean): Promise<void>;
  end(rig: Rig): Promise<unknown> | unknown;
  /** All of the limit must be usable. */
  readonly isFair: boolean;
  /** All requests go to one replica first, which uses what the others have a right to. */
  readonly isUneven?: boolean;
  /** Redis comes and goes: of the short run only the requests in a minute. */
  readonly isTurbulent?: boolean;
}

const restore = (rig: Rig) => Promise.all(rig.replicas.map(({ toRedis }) => toRedis.restore()));

const weathers: readonly Weather[] = [
  { name: 'Redis up', begin: () => {}, end: () => {}, isFair: true },
  { name: 'Redis up, one replica asked', begin: () => {}, end: () => {}, isFair: true, isUneven: true },
  {
    name: 'Redis slow for one of three',
    isTurbulent: true,
    begin: ({ replicas }) => replicas[1]!.toRedis.delay(150),
    end: restore,
    isFair: true,
  },
  {
    name: 'Redis flapping for all',
    isTurbulent: true,
    begin: () => {},
    during: async ({ replicas }, isOver) => {
      for (let turn = 0; !isOver(); turn++) {
        const { toRedis } = replicas[turn % replicas.length]!;
        if (turn % 2 === 0) toRedis.delay(300);
        else toRedis.reset();
        await pause(150);
        await toRedis.restore();
        await pause(50);
      }
    },
    end: restore,
    isFair: false,
  },
  {
    name: 'Redis restarted in between',
    isTurbulent: true,
    begin: () => {},
    during: restarted,
    end: () => {},
    isFair: false,
  },
  {
    name: 'Redis dead',
    begin: async (rig) => {
      await rig.redis.kill();
      await pause(1_000);
    },
    end: ({ redis }) => redis.start(),
    isFair: false,
  },
];

async function restarted({ redis }: Rig): Promise<void> {
  await pause(120);
  await redis.kill();
  await pause(300);
  await redis.start();
}

/** Promise 25: five times what a limit allows is offered to all replicas at once, in all weathers. */
export const limitsRow: Row = {
  row: 25,
  promise: 'Rate limits hold over replicas',
  target:
    'admitted above the limit in any window: 0, with Redis up, slow, flapping, restarted and dead; slots leaked: 0',
  async run(rig, size) {
    const broken: string[] = [];
    const figures: Record<string, string | number> = {};
    const limit = 60;
    for (const weather of weathers) {
      const { key } = await makeTenant(rig, {}, { rpm_limit: limit });
      const { key: parallelKey } = await makeTenant(rig, {}, { max_parallel_requests: 6 });
      // A replica that started less than a minute ago uses without Redis only what Redis has told it of.
      const first = await Promise.all(
        rig.replicas.flatMap((replica) => [
          buy(rig, replica, { key, maxTokens: 1 }),
          buy(rig, replica, { key: parallelKey, maxTokens: 1 }),
        ]),
      );
      await weather.begin(rig);
      let isOver = false;
      const worse = weather.during?.(rig, () => isOver);
      const turns = size === 'short' ? 10 : 128;
      const rushed = await crowd(rig, {
        clients: 30,
        pauseMs: size === 'short' ? 20 : 500,
        wish: (_, turn) => (turn < turns ? { key, maxTokens: 1 } : null),
        ...(weather.isUneven === true ? { replica: () => rig.replicas[0]! } : {}),
      });
      const purchases = [...first.filter((_, index) => index % 2 === 0), ...rushed];
      const most = mostInWindow(purchases);
      const refused = purchases.filter(({ status }) => status === 429).length;
      figures[`most requests in a minute, ${weather.name}`] =
        `${most} of ${limit} allowed, ${purchases.length} offered`;
      if (most > limit) broken.push(`${weather.name}: ${most} requests in a minute, ${limit} allowed`);
      // For some seconds after a replica was killed, its part is left to it.
      if (weather.isFair && most < limit * 0.6) {
        broken.push(`${weather.name}: only ${most} of ${limit} allowed requests got through`);
      }
      if (refused === 0 || most === 0)
        broken.push(`${weather.name}: ${most} admitted, ${refused} refused: nothing was shown`);

      if (size === 'full' || !weather.isTurbulent) {
        const slots = 6;
        const wanted = await crowd(rig, {
          clients: 30,
          pauseMs: 10,
          wish: (_, turn) => (turn < (size === 'short' ? 6 : 40) ? { key: parallelKey, maxTokens: 30 } : null),
        });
        const atOnce = await mostAtOnce(rig, new Set(wanted.map(({ ref }) => ref)));
        figures[`most at once, ${weather.name}`] = `${atOnce} of ${slots} allowed, ${wanted.length} offered`;
        if (atOnce > slots) broken.push(`${weather.name}: ${atOnce} requests at once, ${slots} allowed`);
        if (atOnce === 0) broken.push(`${weather.name}: nothing got through at once`);
      }
      isOver = true;
      await worse;
      await weather.end(rig);
      await rig.calm();
      await pause(1_500);
    }
    return { figures, broken };
  },
};

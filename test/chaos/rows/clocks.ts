import { createHash } from 'node:crypto';
import { windowOf } from '../../../src/core/window.ts';
import { audit } from '../audit.ts';
import { crowd, makeTenant, type Purchase } from '../buyers.ts';
import { price } from '../price.ts';
import type { Rig } from '../rig.ts';
import { pause, type Row, seeded, sum } from '../row.ts';

/** A gateway asks the store for the time every five seconds. */
const followsWithinMs = 6_500;
/** What this program and the gateways may disagree about the store's time. */
const toleranceMs = 250;
const perWindow = 40;

interface Boundary {
  readonly name: string;
  readonly timezone: string;
  readonly duration: string;
  /** A moment at which one window ends and the next one begins. */
  readonly at: string;
}

const boundaries: readonly Boundary[] = [
  { name: 'leap day ends', timezone: 'Asia/Tokyo', duration: '1d', at: '2028-02-29T15:00:00Z' },
  { name: 'month ends', timezone: 'America/New_York', duration: '1mo', at: '2027-12-01T05:00:00Z' },
  { name: 'year ends', timezone: 'Pacific/Auckland', duration: '1mo', at: '2027-12-31T11:00:00Z' },
  {
    name: 'the clock goes forward at midnight',
    timezone: 'America/Santiago',
    duration: '1d',
    at: '2027-09-05T04:00:00Z',
  },
  { name: 'the clock goes back in this day', timezone: 'Europe/Berlin', duration: '1d', at: '2027-10-31T23:00:00Z' },
  { name: 'the doubled hour', timezone: 'Europe/Berlin', duration: '1h', at: '2027-10-31T01:00:00Z' },
  { name: 'week ends', timezone: 'Asia/Kathmandu', duration: '7d', at: '2027-06-13T18:15:00Z' },
];

const crossingsFull = 10_000;

interface Found {
  readonly windows: number;
  readonly crossings: number;
  readonly overspent: number;
  readonly wrong: readonly string[];
  readonly purchases: number;
}

/** Buys for `lengthMs` with a key whose cap is `perWindow` requests a window, and looks where each was counted. */
async function spendThrough(rig: Rig, duration: string, timezone: string, lengthMs: number): Promise<Found> {
  const { key } = await makeTenant(rig, { key: perWindow * 5 * price.outputNanodollars }, {}, duration);
  const spans: { purchase: Purchase; from: number; to: number }[] = [];
  const endsAt = performance.now() + lengthMs;
  const lead = rig.storeTime.now() - performance.now();
  const purchases = await crowd(rig, {
    clients: 12,
    pauseMs: 15,
    isOver: () => performance.now() > endsAt,
    wish: () => ({ key, model: price.exactModel, maxTokens: 5 }),
  });
  for (const purchase of purchases) {
    if (purchase.status !== 200) continue;
    spans.push({ purchase, from: purchase.startedAt + lead - toleranceMs, to: purchase.endedAt + lead + toleranceMs });
  }
  await rig.calm();
  const accounts = await rig.query<{ window_start: string; spent: string; cap: string }>(
    `select window_start, spent, cap from accounts where scope = 'key' and id = $1 order by window_start`,
    [createHash('sha256').update(key).digest('hex')],
  );
  const wrong: string[] = [];
  let overspent = 0;
  let crossings = 0;
  for (const { window_start, spent, cap } of accounts) {
    const start = Number(window_start);
    const window = windowOf(duration, timezone, start);
    if (window.start !== start) wrong.push(`a window of ${duration} begins at ${new Date(start).toISOString()}`);
    const end = window.end ?? Number.POSITIVE_INFINITY;
    overspent += Math.max(0, Number(spent) - Number(cap));
    const bought = Number(spent) / (5 * price.outputNanodollars);
    const certain = spans.filter(({ from, to }) => from >= start && to < end).length;
    const possible = spans.filter(({ from, to }) => to >= start && from < end).length;
    crossings += spans.filter(({ from, to }) => from < start && to >= start).length;
    if (bought < certain || bought > possible) {
      wrong.push(
        `${bought} requests count from ${new Date(start).toISOString()} on, ${certain} to ${possible} belong there`,
      );
    }
  }
  const counted = sum(accounts.map(({ spent }) => Number(spent))) / (5 * price.outputNanodollars);
  if (counted !== spans.length) wrong.push(`${spans.length} requests were sold, ${counted} are counted in some window`);
  return { windows: accounts.length, crossings, overspent, wrong, purchases: purchases.length };
}

/** Promise 32: clocks that are wrong and jump, windows of seconds, and the calendar's edges by the store's clock. */
export const clocksRow: Row = {
  row: 32,
  promise: 'Windows are exact, clocks do not matter',
  target:
    'replicas off by ±10 min and jumping: counted in a wrong window 0, overspend 0, gaps 0, over 10,000 boundary crossings',
  async run(rig, size) {
    const broken: string[] = [];
    const random = seeded(32);
    let isOver = false;
    const jumping = (async () => {
      while (!isOver) {
        await pause(400);
        const replica = rig.replicas[Math.floor(random() * rig.replicas.length)]!;
        replica.setClock((random() * 2 - 1) * 600_000);
      }
    })();
    const found: Found[] = [];
    const rounds = size === 'short' ? 1 : 30;
    const isCrossedEnough = () => size === 'full' && sum(found.map((one) => one.crossings)) >= crossingsFull;
    for (let round = 0; round < rounds && !isCrossedEnough(); round++) {
      const tenants = size === 'short' ? 1 : 4;
      const lengthMs = size === 'short' ? 4_500 : 30_000;
      found.push(
        ...(await Promise.all(Array.from({ length: tenants }, () => spendThrough(rig, '1s', 'UTC', lengthMs)))),
      );
    }
    // The gateways take their time to notice that the store's clock was set: too long for the short run.
    const edges = size === 'short' ? [] : boundaries;
    for (const { name, timezone, duration, at } of edges) {
      rig.setTimezone(timezone);
      await rig.storeTime.set(Date.parse(at) - followsWithinMs - 1_500);
      await pause(followsWithinMs);
      const one = await spendThrough(rig, duration, timezone, 3_000);
      if (one.windows !== 2) broken.push(`${name}: ${one.windows} windows where two were touched`);
      found.push({ ...one, wrong: one.wrong.map((text) => `${name}: ${text}`) });
    }
    isOver = true;
    await jumping;
    if (edges.length > 0) {
      rig.setTimezone('UTC');
      await rig.storeTime.restore();
      await pause(followsWithinMs);
    }
    await rig.calm();
    const books = await audit(rig);
    broken.push(...found.flatMap(({ wrong }) => wrong).slice(0, 10), ...books.differences);
    const overspent = sum(found.map((one) => one.overspent));
    if (overspent > 0) broken.push(`${overspent} nano-dollars above the caps`);
    const crossings = sum(found.map((one) => one.crossings));
    if (crossings < (size === 'full' ? crossingsFull : 1)) broken.push(`only ${crossings} requests crossed a boundary`);
    return {
      figures: {
        requests: sum(found.map((one) => one.purchases)),
        windows: sum(found.map((one) => one.windows)),
        'requests at a boundary': crossings,
        'edges of the calendar': edges.length === 0 ? 'none' : edges.map(({ name }) => name).join(', '),
        'counted in a wrong window': found.flatMap(({ wrong }) => wrong).length,
        'overspend (nano-dollars)': overspent,
        'audit differences': books.differences.length,
      },
      broken,
    };
  },
};

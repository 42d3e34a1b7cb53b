import { audit } from '../audit.ts';
import { crowd, makeTenant } from '../buyers.ts';
import { watchCaps } from '../cap-watch.ts';
import { billed } from '../price.ts';
import type { Replica } from '../replica.ts';
import type { Rig } from '../rig.ts';
import { pause, type Row, seeded } from '../row.ts';

const clients = 40;
const recoveryMs = 5_000;
const startsMax = 3;
/** So many, or a part of them: `21-40`. */
const [schedulesFrom, schedulesTo] = rangeOf(process.env.CHAOS_SCHEDULES ?? '300');
/** About 80 requests, reached in the first second: most of the faults fall on an account at its limit. In every second schedule money flows throughout. */
const caps = [5_000_000, 500_000_000] as const;

interface Fault {
  readonly name: string;
  begin(rig: Rig, replica: Replica): Promise<unknown> | unknown;
  end(rig: Rig, replica: Replica): Promise<unknown> | unknown;
}

const faults: readonly Fault[] = [
  { name: 'replica killed', begin: (_, replica) => replica.kill(), end: (_, replica) => started(replica) },
  { name: 'replica frozen', begin: (_, replica) => replica.freeze(), end: (_, replica) => replica.thaw() },
  { name: 'database killed', begin: ({ postgres }) => postgres.kill(), end: ({ postgres }) => postgres.start() },
  { name: 'database frozen', begin: ({ postgres }) => postgres.pause(), end: ({ postgres }) => postgres.resume() },
  {
    name: 'partition from the database',
    begin: (_, { toDatabase }) => toDatabase.blackHole(),
    end: (_, { toDatabase }) => toDatabase.restore(),
  },
  {
    name: 'database connections reset',
    begin: (_, { toDatabase }) => toDatabase.reset(),
    end: () => {},
  },
  {
    name: 'database slow',
    begin: (_, { toDatabase }) => toDatabase.delay(400),
    end: (_, { toDatabase }) => toDatabase.restore(),
  },
  {
    name: 'started while the database is away',
    begin: async (_, replica) => {
      await replica.kill();
      await replica.toDatabase.refuse();
      // It waits, or says why not and ends: either is fine, as long as nothing is sold.
      await replica.start().catch(() => replica.kill());
    },
    end: async (_, replica) => {
      await replica.toDatabase.restore();
      if (!replica.isUp) await started(replica);
    },
  },
  { name: 'Redis killed', begin: ({ redis }) => redis.kill(), end: ({ redis }) => redis.start() },
];

/** Again when it ended because the database said nothing, as whatever runs it does. */
async function started(replica: Replica): Promise<void> {
  for (let turn = 1; ; turn++) {
    try {
      await replica.start();
      return;
    } catch (cause) {
      if (turn === startsMax || !/does not answer/.test(String(cause))) throw cause;
    }
  }
}

/** Longer than a lease, and than anybody's patience: in a full run, each once, whatever the seed. */
const longFaults: readonly (Fault & { readonly lengthMs: number })[] = [
  {
    name: 'database slow for 30 s',
    begin: ({ replicas }) => {
      for (const { toDatabase } of replicas) toDatabase.delay(2_000);
    },
    end: ({ replicas }) => Promise.all(replicas.map(({ toDatabase }) => toDatabase.restore())),
    lengthMs: 30_000,
  },
  {
    name: 'replica frozen beyond its lease',
    begin: (_, replica) => replica.freeze(),
    end: (_, replica) => replica.thaw(),
    lengthMs: 75_000,
  },
];

/** Promise 2: the first one again, while things die by a seeded schedule. */
export const scheduleRow: Row = {
  row: 2,
  promise: 'A hard cap is never exceeded, also while things die',
  target: 'overspend 0 in 300 of 300 schedules; nothing held after recovery',
  async run(rig, size) {
    const [from, to] = size === 'short' ? [0, 1] : [schedulesFrom, schedulesTo];
    const schedules = to - from;
    const broken: string[] = [];
    const watch = watchCaps(rig);
    let dispatches = (await rig.upstream.invoice()).length;
    let faultCount = 0;
    const lasting: string[] = [];
    let requests = 0;
    let sold = 0;
    let overspend = 0;
    let unquiet = 0;
    let refused = 0;
    for (let schedule = from; schedule < to; schedule++) {
      const random = seeded(2_000 + schedule);
      const cap = caps[schedule % caps.length]!;
      const { key } = await recovered(() => makeTenant(rig, { [schedule % 4 < 2 ? 'key' : 'team']: cap }));
      let isOver = false;
      const load = crowd(rig, {
        clients,
        isOver: () => isOver,
        wish: (client, turn) => ({
          key,
          maxTokens: 1 + ((client * 13 + turn) % 40),
          stream: (client + turn) % 2 === 0,
        }),
      });
      const long = size === 'short' ? undefined : longFaults[schedule - 1];
      if (long !== undefined) lasting.push(long.name);
      const order = long === undefined ? [...faults].sort(() => random() - 0.5) : [long];
      for (const fault of order.slice(0, size === 'short' ? 4 : 5)) {
        await pause(random() * 200);
        const replica = rig.replicas[Math.floor(random() * rig.replicas.length)]!;
        await fault.begin(rig, replica);
        await pause(long?.lengthMs ?? 100 + random() * (size === 'short' ? 300 : 900));
        await fault.end(rig, replica);
        faultCount += 1;
      }
      isOver = true;
      const purchases = await load;
      requests += purchases.length;
      const held = !(await rig.calm(20_000));
      if (held) unquiet += 1;
      const refs = new Set(purchases.map(({ ref }) => ref));
      const added = await rig.upstream.invoice(dispatches);
      dispatches += added.length;
      const invoice = added.filter(({ reference }) => refs.has(reference ?? ''));
      const spent = invoice.reduce((all, { model, usage }) => all + billed(model, usage), 0);
      overspend += Math.max(0, spent - cap);
      sold += purchases.filter(({ status }) => status === 200).length;
      refused += purchases.filter(({ status }) => status === 429).length;
    }
    await watch.stop();
    const books = await audit(rig);
    broken.push(...watch.violations.slice(0, 3), ...books.differences);
    if (overspend > 0) broken.push(`the provider billed ${overspend} nano-dollars above the caps`);
    if (unquiet > 0) broken.push(`${books.held} nano-dollars still held after recovery`);
    if (sold === 0 || (refused === 0 && size === 'full'))
      broken.push(`nothing was shown: ${sold} sold, ${refused} refused`);
    return {
      figures: {
        schedules: from === 0 ? schedules : `${schedules} (${from + 1} to ${to})`,
        faults: faultCount,
        'of these, lasting': lasting.join(', ') || 'none',
        requests,
        sold,
        refused,
        'overspend (nano-dollars)': overspend,
        'still held after recovery': `${unquiet} of ${schedules}`,
        'polls above the cap': `${watch.violated} of ${watch.polls}`,
        'audit differences': books.differences.length,
      },
      broken,
    };
  },
};

/** The control plane works within so long of the end of the last fault. */
async function recovered<Result>(call: () => Promise<Result>): Promise<Result> {
  const endsAt = performance.now() + recoveryMs;
  for (;;) {
    try {
      return await call();
    } catch (cause) {
      if (performance.now() > endsAt || !/answered 503/.test(String(cause))) throw cause;
      await pause(100);
    }
  }
}

/** From and to, counted from 0, the last one not included. */
function rangeOf(text: string): readonly [from: number, to: number] {
  const [first, last] = text.split('-').map(Number) as [number, number?];
  return last === undefined ? [0, first] : [first - 1, last];
}

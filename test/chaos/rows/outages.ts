import { buy, type Purchase } from '../buyers.ts';
import { price } from '../price.ts';
import type { Replica } from '../replica.ts';
import type { Rig } from '../rig.ts';
import { pause, type Row, until } from '../row.ts';

/** An outage that begins is not known yet: what is asked in its first moments may wait this long for an answer. */
const noticedWithinMs = 2_200;
const refusalMsMax = 300;
const backWithinMs = 5_000;

interface Outage {
  readonly name: string;
  begin(rig: Rig, replica: Replica): Promise<unknown> | unknown;
  end(rig: Rig, replica: Replica): Promise<unknown> | unknown;
  /** What docs/policies.md says about a request whose hard budget needs the store. */
  readonly hard: 'refused' | 'waits';
  /** Whether rate limits have to do without Redis. */
  readonly isRedis: boolean;
}

const restore = (_: Rig, { toDatabase, toRedis }: Replica) => Promise.all([toDatabase.restore(), toRedis.restore()]);

const outages: readonly Outage[] = [
  {
    name: 'PostgreSQL killed',
    begin: ({ postgres }) => postgres.kill(),
    end: ({ postgres }) => postgres.start(),
    hard: 'refused',
    isRedis: false,
  },
  {
    name: 'PostgreSQL refuses connections',
    begin: (_, { toDatabase }) => toDatabase.refuse(),
    end: restore,
    hard: 'refused',
    isRedis: false,
  },
  {
    name: 'PostgreSQL behind a black hole',
    begin: (_, { toDatabase }) => toDatabase.blackHole(),
    end: restore,
    hard: 'refused',
    isRedis: false,
  },
  {
    name: 'PostgreSQL answers after 2 s',
    begin: (_, { toDatabase }) => toDatabase.delay(2_000),
    end: restore,
    hard: 'refused',
    isRedis: false,
  },
  {
    name: 'PostgreSQL cannot be written to',
    begin: (rig) => setReadOnly(rig, true),
    end: (rig) => setReadOnly(rig, false),
    hard: 'refused',
    isRedis: false,
  },
  {
    name: 'PostgreSQL restarted',
    begin: async ({ postgres }) => {
      await postgres.stop();
      await postgres.start();
    },
    end: () => {},
    hard: 'waits',
    isRedis: false,
  },
  {
    name: 'Redis killed',
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.start(),
    hard: 'waits',
    isRedis: true,
  },
  {
    name: 'Redis refuses connections',
    begin: (_, { toRedis }) => toRedis.refuse(),
    end: restore,
    hard: 'waits',
    isRedis: true,
  },
  {
    name: 'Redis behind a black hole',
    begin: (_, { toRedis }) => toRedis.blackHole(),
    end: restore,
    hard: 'waits',
    isRedis: true,
  },
  {
    name: 'Redis answers after 2 s',
    begin: (_, { toRedis }) => toRedis.delay(2_000),
    end: restore,
    hard: 'waits',
    isRedis: true,
  },
];

async function setReadOnly(rig: Rig, isReadOnly: boolean): Promise<void> {
  const [row] = await rig.query<{ name: string }>('select current_database() as name');
  await rig.query(
    `begin read write; alter database ${row!.name} set default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}; commit`,
  );
  await rig.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = 'tollgate'`,
    [row!.name],
  );
}

interface Boot {
  readonly name: string;
  begin(replica: Replica): Promise<unknown> | unknown;
  /** Whether the program is expected to serve, or to say why not and end. */
  readonly serves: boolean;
}

const boots: readonly Boot[] = [
  { name: 'started while Redis refuses connections', begin: ({ toRedis }) => toRedis.refuse(), serves: true },
  {
    name: 'started while PostgreSQL refuses connections',
    begin: ({ toDatabase }) => toDatabase.refuse(),
    serves: false,
  },
  { name: 'started while Redis is behind a black hole', begin: ({ toRedis }) => toRedis.blackHole(), serves: true },
  { name: 'started while Redis answers after 2 s', begin: ({ toRedis }) => toRedis.delay(2_000), serves: true },
  {
    name: 'started while PostgreSQL is behind a black hole',
    begin: ({ toDatabase }) => toDatabase.blackHole(),
    serves: false,
  },
];

/** A replica that starts in the middle of an outage: what docs/policies.md says, and well again when the outage ends. */
async function boot(rig: Rig, replica: Replica, { name, begin, serves }: Boot): Promise<string[]> {
  const other = rig.replicas[1]!;
  const make = async (limits: Record<string, unknown>) => String((await other.admin('/key/generate', limits)).key);
  const keys = [
    await make({ max_budget: 10 }),
    await make({ soft_budget: 10 }),
    await make({}),
    await make({ rpm_limit: 100_000 }),
  ];
  await replica.stop();
  await begin(replica);
  const broken: string[] = [];
  const ask = () => Promise.all(keys.map((key) => buy(rig, replica, { key, model: price.exactModel, maxTokens: 5 })));
  const fault = await replica.start().then(
    () => null,
    (cause: Error) => cause.message,
  );
  if (serves && fault !== null) broken.push(`${name}: ${fault}`);
  if (!serves && !/database .* (refuses|cannot|did not|took|does not)/i.test(fault ?? '')) {
    broken.push(`${name}: ${fault ?? 'it serves'}`);
  }
  if (fault === null) {
    const wrong = (await ask()).filter(({ status }) => status !== 200);
    for (const { status, body } of wrong) broken.push(`${name}: ${status} ${body.slice(0, 200)}`);
  } else await replica.kill();
  await replica.heal();
  if (fault !== null) await replica.start();
  const isBack = await until(async () => (await ask()).every(({ status }) => status === 200), backWithinMs, 100);
  if (!isBack) broken.push(`${name}: not back ${backWithinMs} ms after the end`);
  return broken;
}

interface Keys {
  readonly hard: readonly string[];
  readonly soft: string;
  readonly none: string;
  readonly limited: string;
}

/** Keys that the replica knows; those with a hard budget have no money in hand yet. */
async function knownKeys(rig: Rig, replica: Replica, count: number): Promise<Keys> {
  const make = async (limits: Record<string, unknown>) => String((await replica.admin('/key/generate', limits)).key);
  const hard = await Promise.all(Array.from({ length: count }, () => make({ max_budget: 10 })));
  const [soft, none, limited] = await Promise.all([make({ soft_budget: 10 }), make({}), make({ rpm_limit: 100_000 })]);
  // Word of changes goes round once more when the store's counter is read.
  await pause(1_000);
  // What Redis has set aside of a limit is known to a replica that started lately from its first answer on.
  await buy(rig, replica, { key: limited, maxTokens: 2 });
  await Promise.all(
    [...hard, soft, none, limited].map((key) =>
      fetch(`${replica.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } }).then((answer) =>
        answer.text(),
      ),
    ),
  );
  return { hard, soft, none, limited };
}

interface Asked {
  readonly kind: keyof Keys;
  readonly sinceMs: number;
  readonly purchase: Purchase;
}

/** Promise 20: every outage against every kind of budget, held against the table in docs/policies.md. */
export const outagesRow: Row = {
  row: 20,
  promise: 'Store outages behave as documented',
  target:
    '100 % of the cells as in docs/policies.md; refusals within 300 ms once the outage is noticed; back within 5 s without a restart',
  async run(rig, size) {
    const broken: string[] = [];
    const replica = rig.replicas[0]!;
    const lengthMs = size === 'short' ? 2_000 : 10_000;
    let cells = 0;
    let asItShould = 0;
    let slowestRefusal = 0;
    let slowestNotice = 0;
    let slowestReturn = 0;
    let requests = 0;
    const chosen = size === 'short' ? outages.filter((_, at) => at === 1 || at === 2) : outages;
    for (const outage of chosen) {
      const { hard, soft, none, limited } = await knownKeys(rig, replica, 12);
      // Made elsewhere: this replica must ask the store for it.
      const fresh = (await rig.replicas[1]!.admin('/key/generate', { max_budget: 10 })).key as string;
      const asked: Asked[] = [];
      await outage.begin(rig, replica);
      const beganAt = performance.now();
      const ask = async (kind: keyof Keys, key: string) => {
        const sinceMs = performance.now() - beganAt;
        asked.push({
          kind,
          sinceMs,
          purchase: await buy(rig, replica, { key, model: price.exactModel, maxTokens: 5 }),
        });
      };
      const under: Promise<void>[] = [];
      for (let turn = 0; turn < hard.length; turn++) {
        under.push(ask('hard', hard[turn]!), ask('soft', soft), ask('none', none), ask('limited', limited));
        await pause(lengthMs / hard.length);
      }
      await outage.end(rig, replica);
      const endedAt = performance.now();
      await Promise.all(under);
      const isBack = await until(
        async () => (await buy(rig, replica, { key: fresh, model: price.exactModel, maxTokens: 5 })).status === 200,
        backWithinMs * 3,
        50,
      );
      const backMs = performance.now() - endedAt;
      slowestReturn = Math.max(slowestReturn, backMs);
      if (!isBack || backMs > backWithinMs) broken.push(`${outage.name}: back after ${Math.round(backMs)} ms`);
      requests += asked.length;
      for (const kind of ['hard', 'soft', 'none', 'limited'] as const) {
        cells += 1;
        // What was answered after the end says nothing.
        const own = asked.filter((one) => one.kind === kind && one.purchase.endedAt < endedAt);
        const isRefused = kind === 'hard' && outage.hard === 'refused';
        const wanted = isRefused ? 503 : 200;
        const wrong = own.filter(({ purchase }) => purchase.status !== wanted);
        if (wrong.length === 0) asItShould += 1;
        else {
          const found = wrong
            .map(({ purchase, sinceMs }) => `${purchase.status} at ${Math.round(sinceMs)} ms`)
            .join(', ');
          broken.push(
            `${outage.name}, ${kind}: ${wanted} expected, ${found}: ${wrong[0]!.purchase.body.slice(0, 200)}`,
          );
        }
        for (const { purchase, sinceMs } of own) {
          const tookMs = purchase.endedAt - purchase.startedAt;
          if (purchase.status !== 503) continue;
          if (sinceMs < noticedWithinMs) slowestNotice = Math.max(slowestNotice, tookMs);
          else slowestRefusal = Math.max(slowestRefusal, tookMs);
        }
      }
      await rig.calm();
    }
    const started = size === 'short' ? boots.slice(0, 1) : boots;
    for (const one of started) {
      cells += 1;
      const wrong = await boot(rig, replica, one);
      broken.push(...wrong);
      if (wrong.length === 0) asItShould += 1;
      await rig.calm();
    }
    const slack = size === 'short' ? 3 : 1;
    if (slowestRefusal > refusalMsMax * slack) broken.push(`a refusal took ${Math.round(slowestRefusal)} ms`);
    if (slowestNotice > noticedWithinMs * slack) broken.push(`the first refusals took ${Math.round(slowestNotice)} ms`);
    return {
      figures: {
        outages: [...chosen, ...started].map(({ name }) => name).join(', '),
        'cells as documented': `${asItShould} of ${cells}`,
        requests,
        'slowest refusal, outage known (ms)': Math.round(slowestRefusal),
        'slowest refusal, outage beginning (ms)': Math.round(slowestNotice),
        'slowest return to service (ms)': Math.round(slowestReturn),
      },
      broken: broken.slice(0, 30),
    };
  },
};

import { randomUUID } from 'node:crypto';
import { SqlBooks } from '../../../src/adapters/sql/books.ts';
import { openPostgresEngine } from '../../../src/adapters/sql/postgres.ts';
import { accountKey } from '../../../src/core/books.ts';
import { StoreError } from '../../../src/core/store.ts';
import { audit } from '../audit.ts';
import { crowd, makeTenant, type Tenant } from '../buyers.ts';
import type { Rig } from '../rig.ts';
import { pause, type Row, seeded, sum } from '../row.ts';

const writers = 64;
const need = 100;
const chain = ['key', 'user', 'team', 'organization', 'tag'] as const;

/** Promise 7: every budget of a request or none, while statements are killed and somebody locks the accounts in the opposite order. */
export const togetherRow: Row = {
  row: 7,
  promise: 'All budgets of a request move together',
  target: 'partial holds 0; deadlocks seen by clients 0: statements killed, locks in reversed orders, 64 writers',
  async run(rig, size) {
    const direct = await writersAtOnce(rig, size === 'short' ? 1_500 : 60_000);
    const served = await overReplicas(rig, size === 'short' ? 2_500 : 120_000);
    const broken = [...direct.broken, ...served.broken];
    return { figures: { ...direct.figures, ...served.figures }, broken };
  },
};

interface Adversary {
  readonly killed: number;
  readonly locked: number;
  stop(): Promise<void>;
}

/** Kills statements of the gateways between two rows, and takes the locks of their accounts the other way round. */
function trouble(rig: Rig, kills: 'cancel' | 'terminate', keys: () => Promise<string[]>): Adversary {
  const random = seeded(7);
  let isOver = false;
  let killed = 0;
  let locked = 0;
  const killing = (async () => {
    while (!isOver) {
      const how = random() < 0.1 ? kills : 'cancel';
      const rows = await rig
        .query<{ done: boolean }>(
          `select pg_${how}_backend(pid) as done from pg_stat_activity
           where application_name = 'tollgate' and state <> 'idle' and pid <> pg_backend_pid() and query ~* 'accounts|leases|usage'
           order by random() limit 1`,
        )
        .catch(() => []);
      killed += rows.length;
      await pause(15 + random() * 40);
    }
  })();
  const locking = (async () => {
    const wanted = await keys();
    while (!isOver) {
      // One statement each, so that the order is this one whatever the plan; in one transaction.
      const lines = [...wanted].sort().reverse();
      const locks = lines.map(
        (key) => `perform 1 from accounts where key = ${literal(key)} for update; perform pg_sleep(0.002);`,
      );
      await rig.query(`do $$ begin ${locks.join(' ')} end $$`).catch(() => {});
      locked += 1;
      await pause(40 + random() * 80);
    }
  })();
  return {
    get killed() {
      return killed;
    },
    get locked() {
      return locked;
    },
    async stop() {
      isOver = true;
      await Promise.all([killing, locking]);
    },
  };
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The books alone: 64 writers that name five common accounts in an order of their own. */
async function writersAtOnce(rig: Rig, lengthMs: number) {
  const broken: string[] = [];
  // Found at once instead of after a second: so many more of them in the same time.
  const [database] = await rig.query<{ name: string }>('select current_database() as name');
  await rig.query(`alter database ${database!.name} set deadlock_timeout = '20ms'`);
  const engine = await openPostgresEngine({ url: rig.databaseUrl, poolMax: 48 });
  const books = new SqlBooks(engine);
  const random = seeded(64);
  const specs = chain.map((scope) => {
    const id = `together-${scope}-${rig.next()}`;
    return { scope, id, model: '', duration: '', windowStart: 0, cap: 1e12, key: accountKey(scope, id, '', '') };
  });
  const keys = specs.map(({ key }) => key);
  let isOver = false;
  let polls = 0;
  let partial = 0;
  const watching = (async () => {
    while (!isOver) {
      const rows = await rig
        .query<{ leased: string }>('select leased from accounts where key = any($1)', [keys])
        .catch(() => null);
      if (rows !== null) {
        polls += 1;
        if (new Set(rows.map(({ leased }) => leased)).size > 1) partial += 1;
      }
      await pause(5);
    }
  })();
  const adversary = trouble(rig, 'cancel', async () => keys);
  const endsAt = performance.now() + lengthMs;
  let granted = 0;
  let deadlocks = 0;
  const holds: number[] = [];
  await Promise.all(
    Array.from({ length: writers }, async (_, number) => {
      const processId = `writer-${number}`;
      let held = 0;
      while (performance.now() < endsAt) {
        const now = Date.now();
        const shuffled = [...specs].sort(() => random() - 0.5);
        const token = randomUUID();
        const isReturn = held > 0 && random() < 0.5;
        for (let attempt = 0; attempt < 20; attempt++) {
          try {
            if (isReturn)
              await books.returnLease(
                processId,
                token,
                shuffled.map(({ key }) => ({ key, windowStart: 0, amount: need })),
                now,
              );
            else {
              const wants = shuffled.map((spec) => ({ ...spec, need, want: need, headroomDivisor: 1_000_000_000 }));
              await books.acquireLease({ processId, token, wants, expiresAt: now + 600_000, now });
            }
            held += isReturn ? -1 : 1;
            granted += 1;
            break;
          } catch (cause) {
            const text = cause instanceof StoreError ? `${cause.message} ${String(cause.cause)}` : String(cause);
            if (/deadlock|give way/i.test(text)) deadlocks += 1;
            await pause(5);
          }
        }
      }
      holds.push(held);
    }),
  );
  await adversary.stop();
  isOver = true;
  await watching;
  const rows = await rig.query<{ leased: string; out: string }>(
    `select leased, (select coalesce(sum(amount), 0) from leases where leases.key = accounts.key) as out
     from accounts where key = any($1)`,
    [keys],
  );
  const expected = sum(holds) * need;
  for (const { leased, out } of rows) {
    if (Number(leased) !== Number(out)) broken.push(`${leased} held, leases ${out}`);
    if (Number(leased) !== expected) broken.push(`${leased} held, the writers believe in ${expected}`);
  }
  // Nothing of it stays for the next row.
  await rig.query(`delete from leases where process_id like 'writer-%'`);
  await rig.query('delete from accounts where key = any($1)', [keys]);
  await engine.close();
  await rig.query(`alter database ${database!.name} reset deadlock_timeout`);
  if (partial > 0) broken.push(`${partial} of ${polls} polls saw some accounts of a request changed and others not`);
  if (granted === 0 || adversary.killed === 0)
    broken.push(`nothing was shown: ${granted} changes, ${adversary.killed} killed`);
  return {
    broken,
    figures: {
      'books: changes by 64 writers': granted,
      'books: statements killed': adversary.killed,
      'books: rounds of locks in reversed order': adversary.locked,
      'books: partial holds': `${partial} of ${polls} polls`,
      'books: calls that had to be repeated, having given way four times': deadlocks,
    },
  };
}

/** The same through three gateways: keys of several users share teams and organizations. */
async function overReplicas(rig: Rig, lengthMs: number) {
  const broken: string[] = [];
  const tenants: Tenant[] = [];
  for (let number = 0; number < 4; number++) {
    tenants.push(await makeTenant(rig, { key: 1e9, team: 1e9, organization: 1e9 }));
  }
  const admin = rig.replicas[0]!;
  const keys: string[] = [];
  for (let number = 0; number < 16; number++) {
    const { team, user } = tenants[number % tenants.length]!;
    const made = await admin.admin('/key/generate', { team_id: team, user_id: user, max_budget: 0.5 });
    keys.push(String(made.key));
  }
  const scoped = async () => {
    const ids = tenants.flatMap(({ team, organization, user }) => [team, organization, user]);
    return (await rig.query<{ key: string }>('select key from accounts where id = any($1)', [ids])).map(
      ({ key }) => key,
    );
  };
  await crowd(rig, { clients: 16, wish: (client, turn) => (turn < 1 ? { key: keys[client]!, maxTokens: 3 } : null) });
  const adversary = trouble(rig, 'terminate', scoped);
  const endsAt = performance.now() + lengthMs;
  let polls = 0;
  let partial = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const rows = await rig
        .query(
          `select accounts.key from accounts left join (
             select key, window_start, sum(amount) as amount from leases where written_off = 0 group by 1, 2
           ) as lent using (key, window_start) where leased <> coalesce(lent.amount, 0)`,
        )
        .catch(() => null);
      if (rows !== null) polls += 1;
      if (rows !== null && rows.length > 0) partial += 1;
      await pause(20);
    }
  })();
  const purchases = await crowd(rig, {
    clients: writers,
    pauseMs: 40,
    isOver: () => performance.now() > endsAt,
    wish: (client, turn) => ({ key: keys[(client + turn) % keys.length]!, maxTokens: 1 + ((client + turn) % 30) }),
  });
  await adversary.stop();
  isOver = true;
  await watching;
  const isQuiet = await rig.calm();
  const books = await audit(rig);
  const deadlocks = purchases.filter(({ body }) => /deadlock|give way|40P01/i.test(body)).length;
  const strange = purchases.filter(({ status }) => ![200, 429, 503].includes(status ?? 0));
  broken.push(...books.differences);
  for (const { status, body } of strange.slice(0, 3))
    broken.push(`an answer that is neither 200, 429 nor 503: ${status} ${body}`);
  if (partial > 0) broken.push(`${partial} of ${polls} polls saw a hold without its lease`);
  if (deadlocks > 0) broken.push(`${deadlocks} clients saw a deadlock`);
  if (!isQuiet) broken.push('something is still held after the end');
  const sold = purchases.filter(({ status }) => status === 200).length;
  if (sold === 0 || adversary.killed === 0) broken.push(`nothing was shown: ${sold} sold, ${adversary.killed} killed`);
  return {
    broken,
    figures: {
      'replicas: requests': purchases.length,
      'replicas: sold': sold,
      'replicas: refused while the store failed (503)': purchases.filter(({ status }) => status === 503).length,
      'replicas: statements and connections killed': adversary.killed,
      'replicas: partial holds': `${partial} of ${polls} polls`,
      'replicas: deadlocks seen by clients': deadlocks,
      'replicas: audit differences': books.differences.length,
    },
  };
}

import { buy, crowd } from './buyers.ts';
import type { Replica } from './replica.ts';
import { type Rig, usualScript } from './rig.ts';
import { pause, until } from './row.ts';

/*
 * Moments at which the death of a gateway is dangerous, each brought about on purpose: what the provider has and has not done, and
 * how far a statement has come, is made to last until somebody has looked and killed.
 */

export interface KillPoint {
  readonly name: string;
  /** Brings the replica there; requests come all the time. False when it was not reached. */
  reach(rig: Rig, replica: Replica, key: string): Promise<boolean> | boolean;
  /** After the kill. */
  leave?(rig: Rig, replica: Replica): Promise<unknown> | unknown;
}

const reachedWithinMs = 5_000;

/** A statement on the table waits in its middle, as long as the point is armed. */
function duringWrite(name: string, table: string): KillPoint {
  return {
    name,
    async reach(rig, replica, key) {
      await rig.query('insert into chaos.points values ($1)', [table]);
      void buy(rig, replica, { key, maxTokens: 3 });
      return until(
        async () =>
          (
            await rig.query(
              `select 1 from pg_stat_activity where wait_event = 'PgSleep' and application_name = 'tollgate'`,
            )
          ).length > 0,
        reachedWithinMs,
        10,
      );
    },
    leave: (rig) => rig.query('delete from chaos.points'),
  };
}

const patiently = { ...usualScript, delayBeforeHeadersMs: 700 };
const slowStream = { ...usualScript, delayBetweenEventsMs: 60, eventsPerWrite: 1 };

export const killPoints: readonly KillPoint[] = [
  duringWrite('rows being written', 'usage'),
  {
    name: 'in the middle of a stream',
    async reach(rig, replica, key) {
      await rig.upstream.setDefault(slowStream);
      return beginStream(rig, replica, key);
    },
    leave: (rig) => rig.upstream.setDefault(usualScript),
  },
  {
    name: 'answered, not in the store yet',
    reach: async (rig, replica, key) => (await buy(rig, replica, { key, maxTokens: 5 })).status === 200,
  },
  {
    name: 'sent, no answer yet',
    async reach(rig, replica, key) {
      await rig.upstream.setDefault(patiently);
      const before = (await rig.upstream.invoice()).length;
      void buy(rig, replica, { key, maxTokens: 5 });
      return until(async () => (await rig.upstream.invoice(before)).length > 0, reachedWithinMs, 5);
    },
    leave: (rig) => rig.upstream.setDefault(usualScript),
  },
  duringWrite('a lease being taken', 'leases'),
  duringWrite('balances being written', 'accounts'),
  duringWrite('the journal’s place being written', 'journal_checkpoints'),
  {
    name: 'committed, and the word of it lost',
    async reach(rig, replica, key) {
      replica.toDatabase.delay(1_000);
      await buy(rig, replica, { key, maxTokens: 5 });
      await pause(300);
      return true;
    },
    leave: (_, { toDatabase }) => toDatabase.restore(),
  },
  {
    name: 'the store away, records in the journal alone',
    async reach(rig, replica, key) {
      await replica.toDatabase.refuse();
      for (let turn = 0; turn < 5; turn++) await buy(rig, replica, { key, maxTokens: 5 });
      return true;
    },
    leave: (_, { toDatabase }) => toDatabase.restore(),
  },
  {
    name: 'while it ends in order',
    async reach(rig, replica, key) {
      await rig.upstream.setDefault(slowStream);
      const isOn = await beginStream(rig, replica, key);
      replica.terminate();
      await pause(60);
      return isOn;
    },
    leave: (rig) => rig.upstream.setDefault(usualScript),
  },
  {
    name: 'while it starts and reads its journal',
    async reach(rig, replica, key) {
      await buy(rig, replica, { key, maxTokens: 5 });
      await replica.kill();
      // It must not come to its end: killed again within it.
      const starting = replica.start().catch(() => {});
      await Promise.race([starting, pause(700)]);
      return true;
    },
  },
];

/** Resolves when the first piece has come. */
async function beginStream(rig: Rig, replica: Replica, key: string): Promise<boolean> {
  const ref = `r${rig.next()}`;
  try {
    const answer = await fetch(`${replica.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'x-litellm-call-id': ref,
      },
      body: JSON.stringify({
        model: 'priced',
        stream: true,
        max_tokens: 60,
        messages: [{ role: 'user', content: `Go on. [[ref:${ref}]]` }],
      }),
    });
    const reader = answer.body!.getReader();
    const first = await reader.read();
    // Whatever becomes of the rest is nobody's concern here.
    void (async () => {
      while (!(await reader.read()).done);
    })().catch(() => {});
    return answer.status === 200 && first.done === false;
  } catch {
    return false;
  }
}

const tables = ['usage', 'leases', 'accounts', 'journal_checkpoints'] as const;

export async function armKillPoints(rig: Rig): Promise<() => Promise<void>> {
  await rig.query('create table if not exists chaos.points (name text)');
  await rig.query(`
    create or replace function chaos.wait_at_point() returns trigger language plpgsql as $$
    begin
      if exists (select 1 from chaos.points where name = TG_ARGV[0]) then perform pg_sleep(1.2); end if;
      return null;
    end $$`);
  for (const table of tables) {
    await rig.query(`
      create trigger chaos_point after insert or update on ${table} for each statement
      execute function chaos.wait_at_point('${table}')`);
  }
  return async () => {
    for (const table of tables) await rig.query(`drop trigger chaos_point on ${table}`);
  };
}

/** Kills a replica at each of the points while it is busy, and starts it again. Resolves to the names of those that were reached. */
export async function killAtPoints(rig: Rig, points: readonly KillPoint[], keys: readonly string[]): Promise<string[]> {
  const disarm = await armKillPoints(rig);
  const reached: string[] = [];
  try {
    for (const [number, point] of points.entries()) {
      const replica = rig.replicas[number % rig.replicas.length]!;
      const key = keys[number % keys.length]!;
      let isOver = false;
      const load = crowd(rig, {
        clients: 3,
        pauseMs: 60,
        isOver: () => isOver,
        replica: () => replica,
        wish: (caller, turn) => ({ key, maxTokens: 2 + ((caller + turn) % 9), stream: caller % 2 === 0 }),
      });
      await pause(100);
      if (await point.reach(rig, replica, key)) reached.push(point.name);
      await replica.kill();
      await point.leave?.(rig, replica);
      isOver = true;
      await load;
      await replica.start();
    }
  } finally {
    await rig.query('delete from chaos.points');
    await disarm();
  }
  return reached;
}

import { FreshCache } from '../../src/adapters/principals/fresh-cache.ts';
import { keyIdOf } from '../../src/gateway/access/credential.ts';
import { drive } from './drive.ts';
import { type Figures, median } from './figures.ts';
import type { Gateways, Ground } from './ground.ts';
import { oneModel } from './ground.ts';

const section = 'keys';
const prefix = 'sk-scale-of-the-store-';
const secretOf = (number: number) => `${prefix}${number}`;

/** What a key costs, each with a hard budget and a team, when there are few and many: known, unknown, and all in turn. */
export async function measureKeys(ground: Ground, figures: Figures, sizes: readonly number[], requests: number) {
  let filled = 0;
  for (const size of sizes) {
    const gateways = await ground.startGateways(oneModel(ground.upstreamPort));
    try {
      if (filled === 0) await firstKey(gateways);
      await fill(ground, Math.max(filled, 1), size);
      filled = size;
      await measure(ground, gateways, figures, size, requests);
    } finally {
      await gateways.stop();
    }
    figures.add(section, size, 'a change, to a replica that knows them all', await changeMicros(size), 'µs');
  }
}

async function measure(ground: Ground, gateways: Gateways, figures: Figures, size: number, requests: number) {
  const pids = [...gateways.pids, ground.postgresPid];
  const common = { ports: gateways.ports, pids };
  const hot = () => secretOf(0);
  await drive({ ...common, connections: 8, requests: requests * 2, keyOf: hot });
  const known = await drive({ ...common, connections: 8, requests, keyOf: hot });
  figures.add(section, size, 'gateway, one key', known.cpuMicros[0]!, 'µs of CPU a request');
  const unseen = Math.min(size - 1, 200);
  const stride = Math.floor((size - 1) / unseen);
  const first = await drive({ ...common, connections: 1, requests: unseen, keyOf: (at) => secretOf(1 + at * stride) });
  figures.add(section, size, 'first request of a key', first.latencyMs, 'ms');
  let turn = 1;
  const any = () => {
    turn = (turn * 48_271) % 2_147_483_647;
    return secretOf(turn % size);
  };
  const spread = await drive({ ...common, connections: 8, requests, keyOf: any });
  figures.add(section, size, 'gateway, keys by chance', spread.cpuMicros[0]!, 'µs of CPU a request');
  figures.add(section, size, 'PostgreSQL, keys by chance', spread.cpuMicros[1]!, 'µs of CPU a request');
}

async function firstKey(gateways: Gateways): Promise<void> {
  const team = await gateways.post('/team/new', {
    team_alias: 'scale',
    max_budget: 1_000_000,
    rpm_limit: 1_000_000_000,
  });
  const limits = { max_budget: 1_000, budget_duration: '30d', rpm_limit: 1_000_000_000 };
  await gateways.post('/key/generate', { key: secretOf(0), team_id: team.team_id, ...limits });
}

/** Copies of the first key, in one statement. */
async function fill({ client }: Ground, from: number, to: number): Promise<void> {
  if (to <= from) return;
  const columns = await client.query(
    "select column_name as name from information_schema.columns where table_name = 'keys' and column_name <> 'id'",
  );
  const names = columns.rows.map(({ name }) => name as string);
  const values = names.map((name) => (name === 'alias' ? "'scale-' || n" : `keys.${name}`));
  await client.query(
    `insert into keys (id, ${names.join(', ')})
     select encode(sha256(convert_to('${prefix}' || n, 'UTF8')), 'hex'), ${values.join(', ')}
     from keys, generate_series(${from}, ${to - 1}) as n where keys.id = '${keyIdOf(secretOf(0))}'`,
  );
  await client.query('vacuum analyze keys');
}

const cachedMax = 50_000;

/** A key is changed, and this replica forgets it: how long that keeps everybody else waiting. */
async function changeMicros(size: number): Promise<number> {
  const cache = new FreshCache<number>({
    load: async (key) => ({ value: 1, sources: [`key|${key}`, `team|${Number(key) % 50}`, 'organization|o'] }),
    tick: () => 0,
    entriesMax: cachedMax,
    ttlMs: 1,
    isAbsent: () => false,
    absentMax: 10,
    absentTtlMs: 1,
  });
  const known = Math.min(size, cachedMax);
  for (let key = 0; key < known; key++) await cache.get(String(key));
  const times: number[] = [];
  for (let key = 0; key < Math.min(known, 50); key++) {
    const startedAt = performance.now();
    cache.forget(`key|${key}`);
    times.push((performance.now() - startedAt) * 1_000);
  }
  return median(times);
}

import { drive } from './drive.ts';
import type { Figures } from './figures.ts';
import type { Ground } from './ground.ts';
import { oneModel } from './ground.ts';

const section = 'replicas';
/** PostgreSQL tells of a connection's transactions when it has been quiet for a second. */
const countedAfterMs = 2_500;

/** One key with hard budgets on itself and its team, used by everybody at once: what that costs, and how it grows. */
export async function measureReplicas(ground: Ground, figures: Figures, sizes: readonly number[], requests: number) {
  for (const size of sizes) {
    const gateways = await ground.startGateways(oneModel(ground.upstreamPort), size);
    try {
      const limits = { max_budget: 1_000_000, budget_duration: '30d' };
      const { team_id } = await gateways.post('/team/new', limits);
      const { key } = await gateways.post('/key/generate', { team_id, ...limits });
      const pids = [...gateways.pids, ground.postgresPid];
      const plan = { ports: gateways.ports, pids, connections: 16 * size, keyOf: () => String(key) };
      await drive({ ...plan, requests: requests * size });
      await later(countedAfterMs);
      const idle = await commits(ground);
      await later(countedAfterMs * 2);
      const before = await commits(ground);
      const driven = await drive({ ...plan, requests: requests * size });
      await later(countedAfterMs);
      const after = await commits(ground);
      const seconds = driven.seconds + countedAfterMs / 1_000 + 0.3;
      const quietPerSecond = (before - idle) / ((countedAfterMs * 2) / 1_000);
      const gatewayMicros = driven.cpuMicros.slice(0, size).reduce((sum, one) => sum + one, 0);
      figures.add(section, size, 'requests a second', driven.requests / driven.seconds, '');
      figures.add(section, size, 'gateways', gatewayMicros, 'µs of CPU a request');
      figures.add(section, size, 'PostgreSQL', driven.cpuMicros[size]!, 'µs of CPU a request');
      const own = Math.max(0, after - before - quietPerSecond * seconds);
      figures.add(section, size, 'commits', own / driven.requests, 'a request');
      figures.add(section, size, 'commits when nothing is asked', quietPerSecond, 'a second');
    } finally {
      await gateways.stop();
    }
  }
}

async function commits({ client }: Ground): Promise<number> {
  await client.query('select pg_stat_clear_snapshot()');
  const found = await client.query(
    'select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()',
  );
  return Number(found.rows[0].count);
}

function later(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

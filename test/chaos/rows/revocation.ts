import { crowd, makeTenant, type Purchase } from '../buyers.ts';
import type { Rig } from '../rig.ts';
import { pause, type Row } from '../row.ts';

const clients = 9;

interface Cut {
  readonly name: string;
  apply(rig: Rig, tenant: { readonly key: string; readonly team: string }): Promise<unknown>;
}

const cuts: readonly Cut[] = [
  { name: 'key blocked', apply: ({ replicas }, { key }) => replicas[0]!.admin('/key/block', { key }) },
  { name: 'key deleted', apply: ({ replicas }, { key }) => replicas[1]!.admin('/key/delete', { keys: [key] }) },
  { name: 'team blocked', apply: ({ replicas }, { team }) => replicas[2]!.admin('/team/block', { team_id: team }) },
];

/** Promise 34: a key is taken away at one replica while all of them are used with it. */
export const revocationRow: Row = {
  row: 34,
  promise: 'A revoked key stops at once, on every replica',
  target: 'accepted later than 1 s after: 0 (Redis up); later than 5 s: 0 (Redis down)',
  async run(rig, size) {
    const broken: string[] = [];
    const rounds = size === 'short' ? 1 : 30;
    const figures: Record<string, string | number> = {};
    for (const isRedisUp of [true, false]) {
      const limitMs = isRedisUp ? 1_000 : 5_000;
      let late = 0;
      let after = 0;
      let latestMs = 0;
      if (!isRedisUp) await rig.redis.kill();
      for (let round = 0; round < rounds; round++) {
        for (const cut of size === 'short' ? cuts.slice(isRedisUp ? 0 : 2) : cuts) {
          const tenant = await makeTenant(rig, { key: 1e12 });
          let isOver = false;
          const load = crowd(rig, {
            clients,
            pauseMs: 20,
            isOver: () => isOver,
            wish: () => ({ key: tenant.key, maxTokens: 1 }),
          });
          await pause(200);
          await cut.apply(rig, tenant);
          const cutAt = performance.now();
          await pause(size === 'short' ? 1_500 : limitMs + 1_000);
          isOver = true;
          const purchases = await load;
          const accepted = purchases.filter(({ status, startedAt }) => status === 200 && startedAt > cutAt);
          const asked = purchases.filter(({ startedAt }) => startedAt > cutAt);
          after += asked.length;
          latestMs = Math.max(latestMs, ...accepted.map(({ startedAt }) => startedAt - cutAt));
          const tooLate = accepted.filter(({ startedAt }) => startedAt - cutAt > limitMs);
          late += tooLate.length;
          if (tooLate.length > 0) broken.push(`${cut.name}: ${tooLate.length} accepted later than ${limitMs} ms`);
          if (!asked.some(isRefused)) broken.push(`${cut.name}: nobody was refused within the time of the test`);
        }
      }
      if (!isRedisUp) await rig.redis.start();
      const when = isRedisUp ? 'Redis up' : 'Redis down';
      figures[`accepted too late, ${when}`] = `${late} of ${after}`;
      figures[`latest accepted, ${when} (ms)`] = Math.round(latestMs);
    }
    await rig.calm();
    return { figures, broken };
  },
};

function isRefused({ status }: Purchase): boolean {
  return status === 401 || status === 403;
}

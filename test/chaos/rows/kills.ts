import { audit } from '../audit.ts';
import { crowd, makeTenant } from '../buyers.ts';
import { killAtPoints, killPoints } from '../kill-points.ts';
import { usualScript } from '../rig.ts';
import { pause, type Row, seeded } from '../row.ts';

const clients = 12;
const killsFull = Number(process.env.CHAOS_KILLS ?? 500);

/** Promise 5: replicas are killed at random instants and at named points under load and start again on their folders; the invoice is the oracle. */
export const killsRow: Row = {
  row: 5,
  promise: 'Every admitted request is recorded exactly once, even with kill -9',
  target: 'missing 0, duplicated 0 over 500 kills and at least 100,000 dispatches',
  async run(rig, size) {
    const kills = size === 'short' ? 3 : killsFull;
    // So few kills shall meet requests under way.
    if (size === 'short') await rig.upstream.setDefault({ ...usualScript, delayBeforeHeadersMs: 80 });
    const random = seeded(5);
    const before = await audit(rig);
    const tenants = [await makeTenant(rig, { key: 1e12, team: 1e12 }), await makeTenant(rig, { organization: 1e12 })];
    let isOver = false;
    const load = crowd(rig, {
      clients,
      // A replica that starts needs some of the machine, too.
      pauseMs: size === 'short' ? 30 : 0,
      isOver: () => isOver,
      wish: (client, turn) => ({
        key: tenants[client % tenants.length]!.key,
        maxTokens: 5 + ((client * 7 + turn) % 60),
        stream: (client + turn) % 2 === 0,
      }),
    });
    const starts: Promise<void>[] = [];
    for (let kill = 0; kill < kills; ) {
      await pause(100 + random() * 400);
      // While one starts again, the next one dies; somebody must be left to answer.
      const up = rig.replicas.filter(({ isUp }) => isUp);
      if (up.length < 2) continue;
      const replica = up[Math.floor(random() * up.length)]!;
      await replica.kill();
      starts.push(replica.start());
      kill += 1;
    }
    await Promise.all(starts);
    isOver = true;
    const purchases = await load;
    const points = size === 'short' ? killPoints.slice(0, 3) : Array.from({ length: 5 }, () => killPoints).flat();
    const reached = await killAtPoints(
      rig,
      points,
      tenants.map(({ key }) => key),
    );
    const isQuiet = await rig.calm();
    const books = await audit(rig);
    const broken = [...books.differences];
    const dispatches = books.dispatches - before.dispatches;
    const unknown = books.unknown - before.unknown;
    if (!isQuiet) broken.push(`still held after the end: ${books.held} nano-dollars`);
    // Kills that meet nothing under way would show nothing.
    for (const { name } of points) if (!reached.includes(name)) broken.push(`never reached: ${name}`);
    if (unknown === 0) broken.push('no kill met a request under way');
    return {
      figures: {
        'kills at random instants': kills,
        'kills at named points': `${reached.length} at ${[...new Set(reached)].join(', ')}`,
        requests: purchases.length,
        missing: `${books.dispatchesWithoutRow - before.dispatchesWithoutRow} of ${dispatches} dispatches`,
        duplicated: `${books.requestsWithTwoRows - before.requestsWithTwoRows} of ${books.rows - before.rows} rows`,
        'charged with their bound': unknown,
        'audit differences': books.differences.length,
      },
      broken,
    };
  },
};

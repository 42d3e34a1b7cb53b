import { audit } from '../audit.ts';
import { crowd, makeTenant } from '../buyers.ts';
import { pause, type Row, until } from '../row.ts';

const clients = 15;

/** Promise 22: one of three replicas is killed under load; its folder is taken up again, or its leases run out. */
export const deadReplicaRow: Row = {
  row: 22,
  promise: 'One dead replica hurts only its own connections',
  target: 'errors on the others 0; what it held is free or charged within its lease (60 s) and 10 s',
  async run(rig, size) {
    const broken: string[] = [];
    const dead = rig.replicas[1]!;
    const tenant = await makeTenant(rig, { key: 1e11, team: 1e11 });
    let isOver = false;
    const load = crowd(rig, {
      clients,
      pauseMs: 20,
      isOver: () => isOver,
      wish: (client, turn) => ({ key: tenant.key, maxTokens: 20, stream: (client + turn) % 2 === 0 }),
      replica: (client) => rig.replicas[client % rig.replicas.length]!,
    });
    await pause(700);
    const killedAt = performance.now();
    await dead.kill();
    await pause(size === 'short' ? 1_500 : 20_000);
    isOver = true;
    const purchases = await load;
    // Clients keep to one replica: every third one is the dead replica's.
    const others = purchases.filter(({ status }) => status !== null);
    const errors = others.filter(({ status, isWhole }) => status !== 200 || !isWhole);
    const broke = purchases.filter(({ status, startedAt }) => status === null && startedAt < killedAt).length;
    const truncated = errors.filter(({ status }) => status === 200).length;
    // A stream that the dead replica had begun is one of its own connections.
    const foreign = errors.filter(({ status }) => status !== 200).length + Math.max(0, truncated - clients / 3);
    if (foreign > 0) broken.push(`${foreign} requests on the other replicas failed`);

    let isFree: boolean;
    const returningAt = performance.now();
    if (size === 'short') {
      isFree = await rig.calm();
    } else {
      isFree = await until(async () => {
        const [row] = await rig.query<{ held: number }>('select coalesce(sum(leased), 0)::float as held from accounts');
        return row!.held === 0;
      }, 70_000);
    }
    const freeAfterMs = performance.now() - returningAt;
    if (!isFree) broken.push('what it held is neither free nor charged');
    await rig.calm();
    const books = await audit(rig);
    broken.push(...books.differences);
    return {
      figures: {
        'errors on the others': `${foreign} of ${others.length}`,
        'broken connections of its own': broke + truncated,
        [size === 'short' ? 'held is free after its return (ms)' : 'held is free or charged, without its return (ms)']:
          Math.round(freeAfterMs),
        'audit differences': books.differences.length,
      },
      broken,
    };
  },
};

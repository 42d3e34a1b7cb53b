import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { startDemoUpstreams } from '../../src/demo/upstreams.ts';
import { freePort } from '../servers/child.ts';
import { startPostgres } from '../servers/postgres.ts';
import { startRedis } from '../servers/redis.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { Replica } from './replica.ts';

export interface ClusterOptions {
  readonly replicas: number;
  /** Of the balancer; 0 takes a free one. */
  readonly port: number;
  /** null = the built-in demo's simulated models. */
  readonly configFile: string | null;
  onStep(what: string): void;
}

export interface Cluster {
  readonly balancer: Balancer;
  readonly replicas: readonly Replica[];
  readonly databaseUrl: string;
  readonly masterKey: string;
  /** Stops everything in order; resolves to the exit codes of the replicas. */
  close(): Promise<(number | null)[]>;
}

/** PostgreSQL, Redis, replicas and a balancer, each as plain processes on this machine and in a temporary folder. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-cluster-'));
  const closers: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const undo = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    options.onStep('PostgreSQL and Redis');
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis({ password: secret() })]);
    closers.push(() => Promise.all([postgres.close(), redis.close()]));
    const masterKey = process.env.TOLLGATE_MASTER_KEY ?? `sk-${secret()}`;
    let { configFile } = options;
    if (configFile === null) {
      const demo = await startDemoUpstreams({ clock: systemClock() });
      closers.push(() => demo.close());
      configFile = join(folder, 'config.yaml');
      writeFileSync(configFile, demo.config);
    }
    options.onStep(`${options.replicas} replicas`);
    const replicas: Replica[] = [];
    for (let index = 0; index < options.replicas; index++) {
      replicas.push(
        new Replica({
          name: `replica-${index + 1}`,
          port: await freePort(),
          configFile,
          dataFolder: join(folder, `replica-${index + 1}`),
          environment: { DATABASE_URL: postgres.url, REDIS_URL: redis.url, TOLLGATE_MASTER_KEY: masterKey },
        }),
      );
    }
    const stopReplicas = () => Promise.all(replicas.map((replica) => replica.stop()));
    closers.push(stopReplicas);
    await Promise.all(replicas.map((replica) => replica.start()));
    const balancer = await startBalancer({ ports: replicas.map(({ port }) => port), port: options.port });
    closers.push(() => balancer.close());
    await balancer.whenReady(replicas.length);
    return {
      balancer,
      replicas,
      databaseUrl: postgres.url,
      masterKey,
      async close() {
        const codes = await stopReplicas();
        await undo();
        return codes;
      },
    };
  } catch (cause) {
    await undo();
    throw cause;
  }
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}

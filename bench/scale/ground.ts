import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { Replica } from '../../scripts/cluster/replica.ts';
import { freePort } from '../../scripts/servers/child.ts';
import { type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { startRedis } from '../../scripts/servers/redis.ts';
import { startUpstream } from '../targets.ts';

export const masterKey = 'sk-bench-master-key-0123456789';

/** A PostgreSQL server, a provider that answers at once, and gateways over them. */
export interface Ground {
  readonly postgres: PostgresServer;
  readonly client: pg.Client;
  /** Of PostgreSQL's main process, whose children do the work. */
  readonly postgresPid: number;
  readonly upstreamPort: number;
  /** `models` is a `model_list`. With `count` they share their limits over Redis. */
  startGateways(models: string, count?: number): Promise<Gateways>;
  close(): Promise<void>;
}

export interface Gateways {
  readonly ports: readonly number[];
  readonly pids: readonly number[];
  post(path: string, body: object): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

export async function openGround(): Promise<Ground> {
  const postgres = await startPostgres({
    durable: true,
    settings: { shared_buffers: '512MB', maintenance_work_mem: '512MB', max_wal_size: '8GB', synchronous_commit: 'on' },
  });
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const found = await client.query('select pg_backend_pid() as pid');
  const postgresPid = parentOf(found.rows[0].pid);
  const upstream = await startUpstream();
  const redis = await startRedis();
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-scale-'));
  let count = 0;
  return {
    postgres,
    client,
    postgresPid,
    upstreamPort: upstream.port,
    async startGateways(models, replicas) {
      count += 1;
      const configFile = join(folder, `config-${count}.yaml`);
      writeFileSync(configFile, `${models}\ngeneral_settings:\n  master_key: ${masterKey}\n`);
      const all: Replica[] = [];
      for (let index = 0; index < (replicas ?? 1); index++) {
        all.push(
          new Replica({
            name: `gateway-${index + 1}`,
            port: await freePort(),
            configFile,
            dataFolder: join(folder, `data-${count}-${index}`),
            environment: { DATABASE_URL: postgres.url, ...(replicas === undefined ? {} : { REDIS_URL: redis.url }) },
          }),
        );
      }
      await all[0]!.start();
      await Promise.all(all.slice(1).map((replica) => replica.start()));
      const ports = all.map(({ port }) => port);
      return {
        ports,
        pids: all.map(({ pid }) => pid!),
        post: (path, body) => post(`http://127.0.0.1:${ports[0]}${path}`, body),
        stop: async () => void (await Promise.all(all.map((replica) => replica.stop()))),
      };
    },
    async close() {
      await upstream.stop();
      await client.end();
      await Promise.all([redis.close(), postgres.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `model_list` with one deployment. */
export function oneModel(upstreamPort: number): string {
  return `model_list:\n${deployment('bench-model', upstreamPort)}`;
}

export function deployment(model: string, upstreamPort: number, order = 0): string {
  return `  - model_name: ${model}
    litellm_params:
      model: openai/bench-model-${order}
      api_base: http://127.0.0.1:${upstreamPort}/v1
      api_key: sk-upstream
      input_cost_per_token: 0.00000015
      output_cost_per_token: 0.0000006
`;
}

async function post(url: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`POST ${url} was answered ${answer.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as Record<string, unknown>;
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

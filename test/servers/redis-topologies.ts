import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, ServerChild } from '../../scripts/servers/child.ts';
import { removeFolder, serverFolder } from '../../scripts/servers/folder.ts';
import { findRedis, type RedisServer, startRedis } from '../../scripts/servers/redis.ts';

export interface RedisCluster {
  readonly ports: readonly number[];
  close(): Promise<void>;
}

const slotCount = 16_384;

/** Three primaries that share the slots, without replicas. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const clients: Redis[] = [];
  const close = async () => {
    for (const client of clients) client.disconnect();
    await Promise.all(nodes.map((node) => node.close()));
  };
  try {
    const busPorts = await Promise.all([freePort(), freePort(), freePort()]);
    for (const busPort of busPorts) {
      nodes.push(await startRedis({ settings: { 'cluster-enabled': 'yes', 'cluster-port': String(busPort) } }));
    }
    for (const { port } of nodes) clients.push(new Redis({ host: '127.0.0.1', port }));
    for (const [index, client] of clients.entries()) {
      const first = Math.ceil((index * slotCount) / nodes.length);
      const last = Math.ceil(((index + 1) * slotCount) / nodes.length) - 1;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
      if (index > 0) await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', nodes[index]!.port, busPorts[index]!);
    }
    for (const client of clients) {
      while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await pause();
      while (!String(await client.call('CLUSTER', 'INFO')).includes(`cluster_known_nodes:${nodes.length}`))
        await pause();
    }
    return { ports: nodes.map(({ port }) => port), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Watches the primary on `primaryPort` under the name `primary`. */
export async function startRedisSentinel(primaryPort: number): Promise<{ port: number; close(): Promise<void> }> {
  const { program, environment } = findRedis();
  const folder = serverFolder('sentinel', undefined);
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor primary 127.0.0.1 ${primaryPort} 1`,
    'sentinel down-after-milliseconds primary 500',
    'sentinel failover-timeout primary 5000',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = new ServerChild({ program, words: [file, '--sentinel'], cwd: folder, folder, environment });
  try {
    await child.start(async () => {
      const client = new Redis({ host: '127.0.0.1', port, retryStrategy: null, lazyConnect: true });
      client.on('error', () => {});
      try {
        await client.connect();
        await client.ping();
      } finally {
        client.disconnect();
      }
    }, 20_000);
    return { port, close: () => child.close() };
  } catch (error) {
    await child.close();
    removeFolder(folder);
    throw error;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { TestProject } from 'vitest/node';
import type { PostgresServer } from '../../scripts/servers/postgres.ts';
import type { RedisServer } from '../../scripts/servers/redis.ts';

/*
 * One PostgreSQL and one Redis for a whole vitest run, each started when the first test asks for it. Test files run in
 * processes of their own, so they ask over HTTP where the servers are: `GET /postgres` or `/redis` answers the address,
 * or 500 with the reason.
 */

declare module 'vitest' {
  interface ProvidedContext {
    testServers: string;
  }
}

const started: { postgres?: Promise<PostgresServer>; redis?: Promise<RedisServer> } = {};

async function addressOf(path: string | undefined): Promise<string> {
  switch (path) {
    case '/postgres':
      if (process.env.TEST_DATABASE_URL) return process.env.TEST_DATABASE_URL;
      started.postgres ??= import('../../scripts/servers/postgres.ts').then(({ startPostgres }) => startPostgres());
      return (await started.postgres).url;
    case '/redis':
      if (process.env.TEST_REDIS_URL) return process.env.TEST_REDIS_URL;
      started.redis ??= import('../../scripts/servers/redis.ts').then(({ startRedis }) => startRedis());
      return (await started.redis).url;
    default:
      throw new Error(`no such server: ${path}`);
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const desk: Server = createServer((request, response) => {
    addressOf(request.url).then(
      (url) => response.end(url),
      (error: Error) => {
        response.statusCode = 500;
        response.end(error.message);
      },
    );
  });
  desk.listen(0, '127.0.0.1');
  await once(desk, 'listening');
  const address = desk.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  project.provide('testServers', `http://127.0.0.1:${address.port}`);
  return async () => {
    desk.close();
    desk.closeAllConnections();
    const servers = await Promise.allSettled([started.postgres, started.redis]);
    for (const server of servers) if (server.status === 'fulfilled') await server.value?.close();
  };
}

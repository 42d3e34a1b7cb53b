import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { makeDatabase, type TestDatabase } from '../../scripts/servers/postgres.ts';

export type { TestDatabase } from '../../scripts/servers/postgres.ts';
export { makeDatabase, startPostgres } from '../../scripts/servers/postgres.ts';
export { startRedis } from '../../scripts/servers/redis.ts';

/**
 * A new, empty database on the PostgreSQL server of this test run (`TEST_DATABASE_URL`, or one that is started now).
 * Fails when there is none to be had, and says how to provide one.
 */
export async function freshDatabase(): Promise<TestDatabase> {
  return makeDatabase(await addressOf('postgres'));
}

/** The Redis server of this test run (`TEST_REDIS_URL`, or one that is started now), and a prefix for keys of one's own. */
export async function redisAddress(): Promise<{ readonly url: string; readonly prefix: string }> {
  return { url: await addressOf('redis'), prefix: `test-${randomBytes(6).toString('hex')}:` };
}

async function addressOf(server: 'postgres' | 'redis'): Promise<string> {
  const answer = await fetch(`${inject('testServers')}/${server}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}

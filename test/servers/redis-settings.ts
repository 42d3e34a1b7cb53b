import type { RedisSettings } from '../../src/core/redis-settings.ts';
import { Secret } from '../../src/core/secret.ts';

/** What the gateway needs to know to use the Redis at `url`. */
export function redisSettings(url: string, more: Partial<RedisSettings> = {}): RedisSettings {
  const { hostname, port, username, password } = new URL(url);
  return {
    topology: { kind: 'single', address: { host: hostname, port: Number(port || 6379) } },
    username: username === '' ? null : username,
    password: password === '' ? null : new Secret(decodeURIComponent(password)),
    database: 0,
    tls: null,
    prefix: 'test',
    keepsAnswers: true,
    ...more,
  };
}

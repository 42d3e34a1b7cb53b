import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { RedisSettings } from '../core/redis-settings.ts';
import type { Environment } from './environment.ts';
import { loadConfig } from './load.ts';
import { RedisSettingsError, readRedisSettings } from './redis-settings.ts';

function read(yaml: string, environment: Environment = {}): RedisSettings | null {
  const { config, diagnostics } = loadConfig('test.yaml', environment, () => yaml);
  if (config === undefined) throw new Error(inspect(diagnostics));
  return readRedisSettings(config, environment);
}

const nothing = {
  username: null,
  password: null,
  database: 0,
  tls: null,
  prefix: 'tollgate',
  keepsAnswers: true,
};
const single = (host: string, port = 6379) => ({ kind: 'single', address: { host, port } });

describe('Redis settings', () => {
  it('are none where nothing names an address', () => {
    expect(read('model_list: []')).toBeNull();
    expect(read('litellm_settings: { cache: true, cache_params: { type: redis, ttl: 5 } }')).toBeNull();
    expect(read('model_list: []', { REDIS_PASSWORD: 'alone', REDIS_HOST: ' ' })).toBeNull();
    expect(readRedisSettings(null, {})).toBeNull();
  });

  it('come from coordination_redis, after the cache and the router', () => {
    const yaml = 'general_settings: { coordination_redis: { host: shared, port: 6390, password: p, ssl: true } }';
    expect(read(yaml)).toMatchObject({ topology: single('shared', 6390), tls: { verifiesCertificate: true } });
    expect(read(`${yaml}\nrouter_settings: { redis_host: routers }`)).toMatchObject({ topology: single('routers') });
  });

  it('are completed by cache_kwargs, where the router says the rest', () => {
    const yaml = 'router_settings: { redis_host: a, cache_kwargs: { ssl: true, username: u } }';
    expect(read(yaml)).toMatchObject({ topology: single('a'), username: 'u', tls: { verifiesCertificate: true } });
  });

  it('come from the router, with the password of the environment', () => {
    const yaml = `
router_settings:
  redis_host: redis
  redis_port: 6380
  redis_password: os.environ/REDIS_PASSWORD
  cache_responses: true
`;
    const settings = read(yaml, { REDIS_PASSWORD: 'from the environment' })!;
    expect(settings).toMatchObject({ ...nothing, password: {}, topology: single('redis', 6380) });
    expect(settings.password?.reveal()).toBe('from the environment');
    expect(inspect(settings, { depth: 9 })).not.toContain('from the environment');
  });

  it('come from the cache parameters before the router, from the router before the environment', () => {
    const router = 'router_settings: { redis_host: b }';
    const environment = { REDIS_URL: 'redis://c' };
    const cache = 'litellm_settings: { cache_params: { host: a, db: 3, ssl: true } }';
    expect(read(`${cache}\n${router}`, environment)).toMatchObject({
      topology: single('a'),
      database: 3,
      tls: { verifiesCertificate: true, verifiesHostname: true },
    });
    expect(read(router, environment)?.topology).toEqual(single('b'));
    expect(read('model_list: []', environment)?.topology).toEqual(single('c'));
  });

  it('read an address with everything in it', () => {
    const settings = readRedisSettings(null, { REDIS_URL: 'rediss://me:p%40ss%2F@redis.example:7000/4' })!;
    expect(settings).toEqual({
      ...nothing,
      topology: single('redis.example', 7000),
      username: 'me',
      password: settings.password,
      database: 4,
      tls: { verifiesCertificate: true, verifiesHostname: true },
    });
    expect(settings.password?.reveal()).toBe('p@ss/');
    expect(readRedisSettings(null, { REDIS_URL: 'redis://[::1]:6390' })?.topology).toEqual(single('::1', 6390));
  });

  it('read the parts of the environment', () => {
    const environment = {
      REDIS_HOST: 'r',
      REDIS_PORT: '6400',
      REDIS_USERNAME: 'u',
      REDIS_PASSWORD: 'p',
      REDIS_SSL: 'True',
      REDIS_SSL_CERT_REQS: 'none',
    };
    const settings = readRedisSettings(null, environment)!;
    expect(settings).toMatchObject({
      topology: single('r', 6400),
      username: 'u',
      tls: { verifiesCertificate: false, verifiesHostname: false },
    });
    expect(settings.password?.reveal()).toBe('p');
  });

  it('read clusters', () => {
    const nodes = [
      { host: 'a', port: 7001 },
      { host: 'b', port: 6379 },
    ];
    const yaml =
      'litellm_settings: { cache_params: { redis_startup_nodes: [{ host: a, port: 7001 }, { host: b }], db: 5 } }';
    expect(read(yaml)).toMatchObject({ topology: { kind: 'cluster', nodes }, database: 0 });
    const environment = { REDIS_CLUSTER_NODES: '[{"host":"a","port":"7001"},"b:6379"]' };
    expect(readRedisSettings(null, environment)?.topology).toEqual({ kind: 'cluster', nodes });
  });

  it('read sentinels', () => {
    const yaml = `
litellm_settings:
  cache_params:
    type: redis
    service_name: primary
    sentinel_nodes: [[s1, 26380], [s2]]
    sentinel_password: hidden
`;
    const { topology } = read(yaml)!;
    expect(topology).toMatchObject({
      kind: 'sentinel',
      name: 'primary',
      sentinels: [
        { host: 's1', port: 26380 },
        { host: 's2', port: 26379 },
      ],
    });
    expect(topology.kind === 'sentinel' && topology.password?.reveal()).toBe('hidden');
  });

  it('keep answers in Redis unless another place is written', () => {
    const keeps = (type: string) =>
      read(`router_settings: { redis_host: r }\nlitellm_settings: { cache: true, cache_params: { ${type} } }`)
        ?.keepsAnswers;
    expect(keeps('ttl: 5')).toBe(true);
    expect(keeps('type: redis')).toBe(true);
    expect(keeps('type: local')).toBe(false);
    expect(keeps('type: s3')).toBe(false);
  });

  it('say what is wrong and where, and never the password', () => {
    const wrong: [Environment, string][] = [
      [{ REDIS_URL: 'http://user:geheim@host' }, 'REDIS_URL: expected redis://'],
      [{ REDIS_URL: 'redis://user:geheim@host/x' }, 'REDIS_URL: expected redis://'],
      [{ REDIS_URL: 'redis://user:geheim%@host' }, 'REDIS_URL: expected redis://'],
      [{ REDIS_URL: 'geheim' }, 'REDIS_URL: expected redis://'],
      [{ REDIS_HOST: 'h', REDIS_PORT: '70000' }, 'REDIS_PORT: expected a port number'],
      [{ REDIS_HOST: 'h', REDIS_PORT: 'x' }, 'REDIS_PORT: expected a port number'],
      [{ REDIS_CLUSTER_NODES: 'geheim' }, 'REDIS_CLUSTER_NODES: expected a JSON list'],
      [{ REDIS_CLUSTER_NODES: '[{"port":1}]' }, 'expected a host and a port'],
      [{ REDIS_SENTINEL_NODES: '[["s",1]]' }, 'expected a service_name'],
    ];
    for (const [environment, message] of wrong) {
      const attempt = () => readRedisSettings(null, environment);
      expect(attempt).toThrow(RedisSettingsError);
      expect(attempt).toThrow(message);
      expect(attempt).not.toThrow(/geheim/);
    }
  });
});

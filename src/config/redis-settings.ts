import type { RedisAddress, RedisSettings } from '../core/redis-settings.ts';
import { Secret } from '../core/secret.ts';
import type { Environment } from './environment.ts';
import type { Config } from './load.ts';
import type { Sections } from './schema/sections.ts';

/** What is written cannot be an address. The message names where it stands and holds none of its text. */
export class RedisSettingsError extends Error {
  constructor(place: string, expected: string) {
    super(`${place}: expected ${expected}`);
    this.name = 'RedisSettingsError';
  }
}

/** What one place says about Redis; what it leaves out may come from the next. */
interface Written {
  readonly place: string;
  readonly url?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly database?: number | undefined;
  readonly tls?: boolean | undefined;
  readonly clusterNodes?: readonly unknown[] | undefined;
  readonly sentinelNodes?: readonly unknown[] | undefined;
  readonly sentinelName?: string | undefined;
  readonly sentinelPassword?: Secret | undefined;
  readonly certificateCheck?: unknown;
  readonly hostnameCheck?: boolean | undefined;
}

const portDefault = 6379;
const sentinelPortDefault = 26379;
const prefix = 'tollgate';

/**
 * Where Redis is, from `litellm_settings.cache_params`, `router_settings.redis_*`, `coordination_redis` or the environment: the first that names
 * an address decides where; sign-in and TLS that it leaves out come from the others. null when none does. Throws
 * RedisSettingsError for an address that cannot be one.
 */
export function readRedisSettings(config: Config | null, given: Environment): RedisSettings | null {
  const environment = config?.environment ?? given;
  const sections = config?.sections ?? {};
  const { litellm_settings: litellm = {}, general_settings: general = {}, router_settings: router = {} } = sections;
  const places = [
    fromParams(litellm.cache_params ?? {}, 'litellm_settings.cache_params'),
    fromRouter(sections),
    fromParams(router.cache_kwargs ?? {}, 'router_settings.cache_kwargs'),
    fromParams(general.coordination_redis ?? {}, 'general_settings.coordination_redis'),
    fromEnvironment(environment),
  ];
  const addressed = places.find(
    ({ url, host, clusterNodes, sentinelNodes }) => url ?? host ?? clusterNodes?.length ?? sentinelNodes?.length,
  );
  if (addressed === undefined) return null;
  const ordered = [addressed, ...places.filter((place) => place !== addressed)];
  const first: First = (key) => ordered.find((place) => place[key] !== undefined)?.[key];

  const url = addressed.url === undefined ? null : parseUrl(addressed.url, addressed.place);
  const password = url?.password ?? first('password') ?? null;
  const isTls = url?.isTls ?? first('tls') ?? false;
  const topology = topologyOf(addressed, url, first);
  return {
    topology,
    username: url?.username ?? first('username') ?? null,
    password,
    database: topology.kind === 'cluster' ? 0 : (url?.database ?? first('database') ?? 0),
    tls: isTls
      ? {
          verifiesCertificate: !isNone(first('certificateCheck')),
          verifiesHostname: first('hostnameCheck') ?? !isNone(first('certificateCheck')),
        }
      : null,
    prefix,
    keepsAnswers: keepsAnswers(sections),
  };
}

type First = <Key extends keyof Written>(key: Key) => Written[Key] | undefined;

function topologyOf(
  { place, host, port, clusterNodes, sentinelNodes }: Written,
  url: ParsedUrl | null,
  first: First,
): RedisSettings['topology'] {
  if (clusterNodes !== undefined && clusterNodes.length > 0) {
    return {
      kind: 'cluster',
      nodes: clusterNodes.map((node) => address(node, portDefault, `${place} (cluster nodes)`)),
    };
  }
  if (sentinelNodes !== undefined && sentinelNodes.length > 0) {
    const name = first('sentinelName');
    if (name === undefined) throw new RedisSettingsError(place, 'a service_name next to the sentinel nodes');
    return {
      kind: 'sentinel',
      sentinels: sentinelNodes.map((node) => address(node, sentinelPortDefault, `${place} (sentinel nodes)`)),
      name,
      password: first('sentinelPassword') ?? null,
    };
  }
  if (url !== null) return { kind: 'single', address: url.address };
  return { kind: 'single', address: { host: host ?? 'localhost', port: port ?? portDefault } };
}

/** Without a type Redis is meant, where there is one; other kinds of stores are not the same. */
function keepsAnswers({ litellm_settings: litellm = {} }: Sections): boolean {
  const type = litellm.cache_params?.type;
  return type === undefined || type === 'redis' || type === 'redis-semantic';
}

type RedisParams = NonNullable<NonNullable<Sections['general_settings']>['coordination_redis']>;

function fromParams(params: RedisParams, place: string): Written {
  return {
    place,
    url: params.url?.reveal(),
    host: params.host,
    port: params.port,
    username: params.username,
    password: params.password,
    database: params.db,
    tls: params.ssl,
    clusterNodes: params.redis_startup_nodes,
    sentinelNodes: params.sentinel_nodes,
    sentinelName: params.service_name,
    sentinelPassword: params.sentinel_password,
    certificateCheck: params.ssl_cert_reqs,
    hostnameCheck: params.ssl_check_hostname,
  };
}

function fromRouter({ router_settings: router = {} }: Sections): Written {
  return {
    place: 'router_settings.redis_*',
    url: router.redis_url?.reveal(),
    host: router.redis_host,
    port: router.redis_port,
    username: router.redis_username,
    password: router.redis_password,
    database: router.redis_db,
  };
}

function fromEnvironment(environment: Environment): Written {
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const secret = (name: string): Secret | undefined => {
    const value = text(name);
    return value === undefined ? undefined : new Secret(value);
  };
  const list = (name: string): readonly unknown[] | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const nodes = parsed(value);
    if (!Array.isArray(nodes)) throw new RedisSettingsError(name, 'a JSON list of nodes');
    return nodes;
  };
  const number = (name: string, expected: string): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value)) throw new RedisSettingsError(name, expected);
    return Number(value);
  };
  const tls = text('REDIS_SSL');
  return {
    place: text('REDIS_URL') === undefined ? 'REDIS_HOST' : 'REDIS_URL',
    url: text('REDIS_URL'),
    host: text('REDIS_HOST'),
    port: port(number('REDIS_PORT', 'a port number'), 'REDIS_PORT'),
    username: text('REDIS_USERNAME'),
    password: secret('REDIS_PASSWORD'),
    database: number('REDIS_DB', 'a whole number'),
    tls: tls === undefined ? undefined : /^(true|1|yes)$/i.test(tls),
    clusterNodes: list('REDIS_CLUSTER_NODES'),
    sentinelNodes: list('REDIS_SENTINEL_NODES'),
    sentinelName: text('REDIS_SERVICE_NAME'),
    sentinelPassword: secret('REDIS_SENTINEL_PASSWORD'),
    certificateCheck: text('REDIS_SSL_CERT_REQS'),
  };
}

interface ParsedUrl {
  readonly address: RedisAddress;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly database: number | undefined;
  readonly isTls: boolean;
}

const urlExpected = 'redis://[user:password@]host[:port][/database], or rediss:// for TLS';

function parseUrl(text: string, place: string): ParsedUrl {
  const url = URL.canParse(text) ? new URL(text) : null;
  const database = url === null ? '' : url.pathname.replace(/^\//, '');
  const isRedis = url !== null && /^(redis|rediss|valkey|valkeys):$/.test(url.protocol) && url.hostname !== '';
  if (url === null || !isRedis || !/^\d*$/.test(database)) throw new RedisSettingsError(place, urlExpected);
  return {
    address: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: port(url.port === '' ? portDefault : Number(url.port), place)!,
    },
    username: url.username === '' ? undefined : decoded(url.username, place),
    password: url.password === '' ? undefined : new Secret(decoded(url.password, place)),
    database: database === '' ? undefined : Number(database),
    isTls: url.protocol === 'rediss:' || url.protocol === 'valkeys:',
  };
}

function decoded(text: string, place: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisSettingsError(place, `${urlExpected}, with special characters written as %XX`);
  }
}

/** `{host, port}`, `[host, port]` or `host:port`. */
function address(node: unknown, portOtherwise: number, place: string): RedisAddress {
  const [host, written] = Array.isArray(node)
    ? (node as unknown[])
    : typeof node === 'string'
      ? (/^(.*?)(?::(\d+))?$/.exec(node)?.slice(1) ?? [])
      : typeof node === 'object' && node !== null
        ? [(node as { host?: unknown }).host, (node as { port?: unknown }).port]
        : [];
  if (typeof host !== 'string' || host === '') throw new RedisSettingsError(place, 'a host and a port for every node');
  return { host, port: port(written === undefined ? portOtherwise : Number(written), place)! };
}

function port(value: number | undefined, place: string): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= 65_535)) return value;
  throw new RedisSettingsError(place, 'a port number from 1 to 65535');
}

function isNone(value: unknown): boolean {
  return value === false || (typeof value === 'string' && /^(none|cert_none|false)$/i.test(value));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

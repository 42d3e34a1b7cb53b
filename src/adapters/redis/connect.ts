import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { hearErrors } from './unheard-errors.ts';

export type RedisClient = Redis | Cluster;

const connectTimeoutMs = 2_000;
const retryDelayMsMax = 1_000;

/**
 * A connection that comes back by itself for ever and never keeps a command for later: what cannot be sent now fails now,
 * and nothing is sent twice.
 */
export function connectRedis(settings: RedisSettings): RedisClient {
  const { topology } = settings;
  const options = connectionOptions(settings);
  hearErrors();
  switch (topology.kind) {
    case 'single':
      return new Redis({ ...options, ...topology.address, enableAutoPipelining: true });
    case 'sentinel':
      return new Redis({
        ...options,
        enableAutoPipelining: true,
        sentinels: [...topology.sentinels],
        name: topology.name,
        ...(topology.password !== null && { sentinelPassword: topology.password.reveal() }),
        sentinelRetryStrategy: retryDelay,
        // A subscription to the sentinels tells of a new primary before the old connection notices.
        failoverDetector: true,
        ...(options.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: options.tls }),
      });
    case 'cluster': {
      const { retryStrategy: _, enableOfflineQueue: __, db: ___, ...forEachNode } = options;
      return new Cluster([...topology.nodes], {
        enableAutoPipelining: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: retryDelay,
        slotsRefreshTimeout: connectTimeoutMs,
        // With TLS the certificate names the host, which a lookup beforehand would hide.
        ...(settings.tls !== null && { dnsLookup: (host: string, done) => done(null, host) }),
        redisOptions: forEachNode,
      });
    }
  }
}

/** The servers that take writes: one, or those of the cluster. */
export function primariesOf(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

function connectionOptions({ username, password, database, tls }: RedisSettings): RedisOptions {
  return {
    ...(username !== null && { username }),
    ...(password !== null && { password: password.reveal() }),
    db: database,
    ...(tls !== null && {
      tls: {
        rejectUnauthorized: tls.verifiesCertificate,
        ...(!tls.verifiesHostname && { checkServerIdentity: () => undefined }),
      },
    }),
    // What is used here exists in both protocols, and not everything that speaks Redis knows the newer one.
    protocol: 2,
    disableClientInfo: true,
    connectionName: 'tollgate',
    connectTimeout: connectTimeoutMs,
    retryStrategy: retryDelay,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Whoever subscribes does so again at every 'ready'; the client's own way leaves a rejection that nobody handles.
    autoResubscribe: false,
    // After a failover the old primary takes no writes any more: look for the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

function retryDelay(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 10), retryDelayMsMax);
}

import { anything, count, flag, key, listOf, map, openMap, port, secret, text } from '../field.ts';

/** Where a Redis is. */
export const redisKeys = {
  host: key(text(), 'Redis host.'),
  port: key(port(), 'Redis port.', '6379'),
  password: key(secret(), 'Redis password.'),
  username: key(text(), 'Redis user.'),
  url: key(secret(), 'Redis address with everything in it.'),
  db: key(count(), 'Redis database number.', '0'),
  ssl: key(flag(), 'TLS to Redis.', 'false'),
  ssl_cert_reqs: key(anything(), 'Certificate check of Redis.'),
  ssl_check_hostname: key(flag(), 'Host name check of Redis.'),
  redis_startup_nodes: key(listOf(openMap()), 'Redis cluster nodes.'),
  service_name: key(text(), 'Redis sentinel service.'),
  sentinel_nodes: key(listOf(listOf(anything())), 'Redis sentinels.'),
  sentinel_password: key(secret(), 'Redis sentinel password.'),
};

/** The same beside `cache_params`. */
export const redisAddress = map(redisKeys);

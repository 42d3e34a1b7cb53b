import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { StoreError } from '../../core/store.ts';

/** Where a PostgreSQL database is and how to reach it, read from an address as libpq and Prisma write them. */
export interface PostgresAddress {
  /** Host name, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: ConnectionOptions | false;
  /** Schema that the tables stand in; null = the user's own search path. */
  readonly schema: string | null;
  /** `pgbouncer=true`: the connection is shared with others between transactions and takes no settings at its start. */
  readonly pooled: boolean;
  /** `connection_limit`; null when not given. */
  readonly poolMax: number | null;
  /** `connect_timeout`; null when not given. */
  readonly connectTimeoutMs: number | null;
  /** For messages: host, port and database without user and password. */
  readonly label: string;
}

const portDefault = 5432;
const example = 'postgresql://USER:PASSWORD@HOST:5432/DATABASE';

/** Throws StoreError that says what is wrong without repeating the address, since it holds the password. */
export function parsePostgresAddress(text: string): PostgresAddress {
  const written = text.trim();
  if (!/^\w+:\/\//.test(written)) throw wrong('does not begin with postgresql://', 'Write it whole');
  let url: URL;
  try {
    // Without a host, as for a Unix socket, it would not be an address to Node.
    url = new URL(written.replace(/^(\w+:\/\/[^/?#]*@)(?=\/)/, '$1localhost'));
  } catch (cause) {
    throw wrong(
      'is not an address',
      'Its port is a number up to 65535; percent-encode the special characters of the password',
      cause instanceof URIError ? cause : undefined,
    );
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw wrong(`begins with "${url.protocol}//"`, 'PostgreSQL is the only server that the store can use');
  }
  const option = (name: string) => url.searchParams.get(name) ?? undefined;
  const host = option('host') ?? decoded(url.hostname.replace(/^\[|\]$/g, ''), 'host');
  const database = decoded(url.pathname.replace(/^\//, ''), 'database');
  const user = decoded(url.username, 'user') || option('user') || '';
  if (host === '') throw wrong('names no host', 'Put one after the "@"');
  if (host.includes(','))
    throw wrong('names several hosts', 'Name one; put a balancer or a virtual address before them');
  if (database === '') throw wrong('names no database', 'Put its name after the host');
  if (user === '') throw wrong('names no user', 'Put the user before the "@"');
  const password = decoded(url.password, 'password') || option('password');
  const port = url.port === '' ? (wholeOption(option('port'), 'port', 65_535) ?? portDefault) : Number(url.port);
  const connectSeconds = wholeOption(option('connect_timeout'), 'connect_timeout', 3_600);
  return {
    host,
    port,
    user,
    password,
    database,
    tls: tlsOf(option('sslmode'), option('sslrootcert'), option('sslaccept')),
    schema: option('schema') ?? null,
    pooled: option('pgbouncer') === 'true',
    poolMax: wholeOption(option('connection_limit'), 'connection_limit', 10_000) || null,
    connectTimeoutMs: connectSeconds === null || connectSeconds === 0 ? null : connectSeconds * 1_000,
    label: `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`,
  };
}

function decoded(part: string, name: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw wrong(
      `has a "%" in its ${name} that is not followed by two hexadecimal digits`,
      'Write a plain "%" as "%25"',
    );
  }
}

function wholeOption(written: string | undefined, name: string, max: number): number | null {
  if (written === undefined) return null;
  const number = Number(written);
  if (!Number.isInteger(number) || number < 0 || number > max) {
    throw wrong(`has ${name}=${written}`, `It must be a whole number of at most ${max}`);
  }
  return number;
}

/** The meanings of libpq's `sslmode` (https://www.postgresql.org/docs/current/libpq-ssl.html), and Prisma's `sslaccept`. */
function tlsOf(
  mode: string | undefined,
  rootCertificate: string | undefined,
  accept: string | undefined,
): ConnectionOptions | false {
  const ca = rootCertificate === undefined ? {} : { ca: certificate(rootCertificate) };
  switch (mode) {
    case undefined:
      return rootCertificate === undefined ? false : ca;
    case 'disable':
    case 'allow':
    case 'prefer':
      return false;
    case 'require':
      if (accept === 'strict') return ca;
      // As libpq has it: encrypted, and verified only when a root certificate is named.
      return rootCertificate === undefined ? { rejectUnauthorized: false } : { ...ca, checkServerIdentity: anyName };
    case 'verify-ca':
      return { ...ca, checkServerIdentity: anyName };
    case 'verify-full':
      return ca;
    default:
      throw wrong(`has sslmode=${mode}`, 'Use disable, require, verify-ca or verify-full');
  }
}

const anyName = () => undefined;

function certificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw wrong(`names the root certificate ${file}, which cannot be read`, 'Check sslrootcert', cause);
  }
}

function wrong(what: string, remedy: string, cause?: unknown): StoreError {
  return new StoreError('unavailable', `The database address ${what}. ${remedy}: ${example}`, cause);
}

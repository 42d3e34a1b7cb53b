import { ConflictError, StoreError } from '../../core/store.ts';

/* Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html */

/** What `pg` and Node put on an error, as far as they do. */
interface Failure {
  readonly message?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly constraint?: string;
}

/** The transaction came to nothing because of another one: run again, it may well succeed. */
export class LostRaceError extends StoreError {
  constructor(message: string, cause: unknown) {
    super('locked', message, cause);
    this.name = 'LostRaceError';
  }
}

/** There is no month in the usage table for a row: it was never made, or was dropped for age. */
export class MissingMonthError extends LostRaceError {}

/** The connection is of no more use. */
export class LostConnectionError extends StoreError {
  constructor(message: string, cause: unknown) {
    super('unavailable', message, cause);
    this.name = 'LostConnectionError';
  }
}

/** A second call with the same token came while the first was under way; run again, it finds the first one's answer. */
const repeatedCall = 'book_calls_primary_key';

/** What PostgreSQL or the way to it said, as an error that tells the operator what to do. Holds no values of rows. */
export function postgresError(cause: unknown, label: string): Error {
  if (cause instanceof StoreError || cause instanceof ConflictError) return cause;
  const { code = '', message = String(cause), detail, constraint } = cause as Failure;
  const database = `The database ${label}`;
  if (code === '23505') {
    if (constraint === repeatedCall) return new LostRaceError(`${database} is answering the same call already.`, cause);
    return new ConflictError(...conflict(detail, constraint));
  }
  if (code === '40001' || code === '40P01') {
    return new LostRaceError(`${database} had to give way to another transaction again and again.`, cause);
  }
  if (code === '23514' && /partition/.test(message) && constraint === undefined) {
    return new MissingMonthError(`${database} has no partition for the month of a request.`, cause);
  }
  const lost = connectionFault(code, message);
  if (lost !== null) return new LostConnectionError(`${database} ${lost}`, cause);
  const [fault, text] = statementFault(code, message);
  return new StoreError(fault, `${database} ${text}`, cause);
}

function conflict(detail: string | undefined, constraint: string | undefined): [column: string, message: string] {
  const columns = /\(([\w, "]+)\)=/.exec(detail ?? '')?.[1] ?? /_unique_(\w+)$/.exec(constraint ?? '')?.[1] ?? 'id';
  const column =
    columns
      .split(/[, "]+/)
      .filter(Boolean)
      .at(-1) ?? 'id';
  return [column, `another row already has this ${column}`];
}

/** Why there is no (more) connection; null when there is one. */
function connectionFault(code: string, message: string): string | null {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return 'refuses connections. Check that PostgreSQL runs and listens there.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'has a host name that cannot be resolved. Check the host in the address.';
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return 'cannot be reached. Check the address, the network and firewalls.';
    case '28P01':
    case '28000':
      return 'refuses the user or the password. Check both in the address, and pg_hba.conf on the server.';
    case '3D000':
      return 'does not exist on this server. Create it (CREATE DATABASE …), or correct the name in the address.';
    case '53300':
      return 'has no free connection. Raise max_connections on the server, or lower connection_limit in the address.';
    case '57P01':
    case '57P02':
      return 'ended the connection because it is shutting down.';
    case '57P03':
      return 'is starting up or shutting down.';
    case '08P01':
      if (!message.includes('startup parameter')) break;
      return 'is behind a pooler that refuses settings. Add pgbouncer=true to the address.';
    default:
  }
  if (code.startsWith('08') || code === 'ECONNRESET' || code === 'EPIPE') return 'lost the connection.';
  if (/^(Connection terminated|Client has encountered a connection error|Client was closed)/.test(message)) {
    return 'lost the connection.';
  }
  if (/timeout/i.test(message) && code === '') return 'does not answer.';
  if (/does not support SSL/.test(message)) return 'offers no TLS. Turn it on in the server, or use sslmode=disable.';
  if (/SASL|password must be a string/.test(message)) {
    return 'asks for a password and the address has none, or not the right one.';
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code)) {
    return `has a TLS certificate that is not accepted (${code}). Name its authority with sslrootcert, or use sslmode=require.`;
  }
  return null;
}

function statementFault(code: string, message: string): [StoreError['fault'], string] {
  switch (code) {
    case '57014':
      return ['unavailable', 'took too long for a statement, which was cancelled.'];
    case '55P03':
      return ['locked', 'is held by another transaction that takes too long.'];
    case '53100':
      return ['full', 'could not be written because its disk is full. Free space on the disk of the server.'];
    case '53200':
      return ['unavailable', 'is out of memory.'];
    case '25006':
      return ['not_writable', 'is read-only: a standby, or set so. Use the address of the primary.'];
    case '42501':
      return [
        'not_writable',
        'does not let this user do that. Make the user owner of the database, or grant it CREATE and USAGE on the schema.',
      ];
    case '3F000':
      return ['not_writable', 'has no schema to create tables in. Name one with schema=NAME in the address.'];
    case 'XX001':
    case 'XX002':
      return ['corrupt', 'is damaged. Restore it from a backup.'];
    default:
      // Errors of class 22 repeat the value at fault.
      return ['unavailable', `refused a statement (${code === '' || !code.startsWith('22') ? message : code})`];
  }
}

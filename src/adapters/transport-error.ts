import type { TransportError } from '../core/ports.ts';

interface Cause {
  readonly code?: unknown;
  readonly errors?: readonly unknown[];
}

/** What went wrong, in words that hold no address: the system's own messages name hosts and ports. */
const kinds: Readonly<Record<string, readonly [kind: TransportError['kind'], message: string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  EHOSTUNREACH: ['refused', 'host unreachable'],
  ENETUNREACH: ['refused', 'network unreachable'],
  EADDRNOTAVAIL: ['refused', 'no local address available for the connection'],
  EMFILE: ['other', 'too many open files on the gateway'],
  ENFILE: ['other', 'too many open files on the gateway'],
  ETIMEDOUT: ['connect_timeout', 'connection timed out'],
  UND_ERR_CONNECT_TIMEOUT: ['connect_timeout', 'connection timed out'],
  ENOTFOUND: ['name_resolution', 'host name not found'],
  EAI_AGAIN: ['name_resolution', 'host name lookup failed for now'],
  ECONNRESET: ['reset', 'connection reset'],
  EPIPE: ['reset', 'connection closed while the request was being sent'],
  UND_ERR_SOCKET: ['reset', 'connection closed before the answer was complete'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['protocol', 'answer is shorter or longer than its content-length'],
  UND_ERR_HEADERS_OVERFLOW: ['protocol', 'answer headers are too large'],
  UND_ERR_INVALID_ARG: ['protocol', 'request cannot be written as HTTP (invalid path or header)'],
  UND_ERR_DESTROYED: ['cancelled', 'the gateway is shutting down'],
  UND_ERR_CLOSED: ['cancelled', 'the gateway is shutting down'],
};

const tlsCode = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;

/** `sent`: whether the connection had been handed the request. */
export function transportErrorOf(cause: unknown, sent: boolean, reusedConnection: boolean): TransportError {
  const code = codeOf(cause);
  if (sent && code === 'ETIMEDOUT') {
    return { kind: 'reset', message: 'connection lost', sent, reusedConnection };
  }
  const known = kinds[code];
  if (known !== undefined) return { kind: known[0], message: known[1], sent, reusedConnection };
  if (tlsCode.test(code)) return { kind: 'tls', message: `TLS error (${code})`, sent, reusedConnection };
  if (code.startsWith('HPE_') || (cause instanceof Error && cause.name === 'HTTPParserError'))
    return { kind: 'protocol', message: 'answer is not HTTP', sent, reusedConnection };
  return {
    kind: 'other',
    message: code === '' ? 'connection failed' : `connection failed (${code})`,
    sent,
    reusedConnection,
  };
}

function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  const { code, errors } = cause as Cause;
  if (typeof code === 'string') return code;
  // Several addresses were tried and all failed: the first failure stands for all.
  return errors?.length ? codeOf(errors[0]) : '';
}

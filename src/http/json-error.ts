import type { ServerResponse } from 'node:http';
import type { Dialect } from '../core/dialect.ts';
import type { GatewayError } from '../core/errors.ts';

/** An error before any dialect is known, in the form most clients read. */
export function plainErrorBody(error: GatewayError): string {
  const { message, status, type } = error;
  return JSON.stringify({ error: { message, type, param: error.details.param ?? null, code: String(status) } });
}

/** Answers a request that never became part of the journey. */
export function writeError(
  response: ServerResponse,
  error: GatewayError,
  requestId: string,
  dialect: Dialect | undefined,
): void {
  if (response.destroyed || response.headersSent) return;
  const body = dialect === undefined ? plainErrorBody(error) : JSON.stringify(dialect.errors.encode(error, requestId));
  response.writeHead(error.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...error.details.headers,
  });
  response.end(body);
}

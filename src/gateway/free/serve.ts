import { asGatewayError } from '../../core/errors.ts';
import type { CallerHeaders } from '../../core/exchange.ts';
import type { Upload } from '../../core/upload.ts';
import { admitCaller } from '../authenticate.ts';
import type { Gateway } from '../gateway.ts';
import { jsonBody } from '../receive/json-body.ts';
import type { FreeAnswer } from './call.ts';
import type { FreeRoute } from './routes.ts';

export interface FreeArrival {
  readonly route: FreeRoute;
  readonly params: readonly string[];
  readonly path: string;
  readonly query: string;
  readonly headers: CallerHeaders;
  /** Of the connection. */
  readonly address: string | null;
  readonly bytes: Buffer;
  readonly upload?: Upload;
}

/** Who asks, whether it may, and the answer. Never throws: what goes wrong is told in the caller's dialect. */
export async function serveFree(gateway: Gateway, arrival: FreeArrival): Promise<FreeAnswer & { readonly id: string }> {
  const { route, headers, path, bytes } = arrival;
  const id = gateway.chance.id();
  try {
    const snapshot = gateway.snapshot();
    const principal = await admitCaller(gateway, arrival, route.routeGroups);
    const query = new URLSearchParams(arrival.query);
    const { params, upload } = arrival;
    const read =
      upload === undefined
        ? { body: route.ignoresBody || bytes.length === 0 ? {} : jsonBody(bytes) }
        : { body: upload.fields, upload };
    const call = { id, principal, snapshot, path, params, query, headers, bytes, ...read };
    return { id, ...(await route.run(gateway, call)) };
  } catch (cause) {
    const error = asGatewayError(cause);
    if (error.code === 'internal') {
      gateway.log.error('request failed inside the gateway', { requestId: id, path, cause: error.cause });
    }
    const body = gateway.dialects.get(route.dialect)?.errors.encode(error, id) ?? {};
    return { id, status: error.status, body };
  }
}

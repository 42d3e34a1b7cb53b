import { createHash } from 'node:crypto';
import { GatewayError } from '../core/errors.ts';
import { asReceived, type PassThrough, type Received } from '../core/exchange.ts';
import type { JsonObject } from '../core/json.ts';
import { timeOrderedId } from '../core/request-id.ts';
import type { Snapshot } from '../core/route.ts';
import type { Upload } from '../core/upload.ts';
import { callerAddress } from './access/entry-rules.ts';
import type { Arrival } from './arrival.ts';
import type { Gateway } from './gateway.ts';
import { addressed, addressOf } from './receive/call-address.ts';
import { jsonBody } from './receive/json-body.ts';
import { readRequestOptions } from './receive/request-options.ts';

/**
 * Station 1: the bytes become a request whose wishes are known. Throws GatewayError('malformed_request') that says
 * what is wrong with the body and where.
 */
export function receive(gateway: Gateway, arrival: Arrival, start: Start): Received {
  const { route } = arrival.matched;
  const spoken = gateway.dialects.get(route.dialect);
  if (spoken === undefined) throw new GatewayError('not_found', `${arrival.path} is not served by this gateway.`);
  const { upload = null } = arrival;
  const { passThrough = null } = arrival;
  const body =
    passThrough !== null
      ? opaqueBody(arrival.bytes, passThrough)
      : upload === null
        ? jsonBody(arrival.bytes)
        : upload.fields;
  const address = passThrough === null ? addressOf(arrival) : { ...addressOf(arrival), path: passThrough.rest };
  const dialect = spoken.kindOf?.(body, address) ?? spoken;
  const facts = dialect.inspect(body, address, upload);
  return asReceived({
    id: start.id,
    operation: route.operation,
    dialect,
    path: arrival.path,
    address,
    bytes: upload === null ? arrival.bytes : described(upload, arrival),
    body,
    upload,
    funds: arrival.funds ?? null,
    passThrough,
    facts: addressed(facts, address),
    options: readRequestOptions(body, arrival.headers, dialect.name, start),
    headers: arrival.headers,
    clientAddress: callerAddress(start.snapshot.settings, arrival.headers, arrival.clientAddress),
    client: arrival.client,
    snapshot: start.snapshot,
    receivedAt: start.at,
    receivedTick: start.tick,
    arrivedTick: arrival.arrivedTick,
    trace: gateway.tracing.begin(arrival.headers, start.id),
  });
}

/** What is fixed the moment a request comes in, before anything about it can go wrong. */
export interface Start {
  /** Unique for ever, whatever the caller calls its request: two requests may not share a row. */
  readonly id: string;
  readonly callId: string | null;
  readonly snapshot: Snapshot;
  /** Unix milliseconds. */
  readonly at: number;
  /** Monotonic milliseconds. */
  readonly tick: number;
}

export function beginRequest(gateway: Gateway, arrival: Arrival): Start {
  const { clock, chance } = gateway;
  const callId = saneToken(arrival.headers['x-litellm-call-id']);
  const at = clock.now();
  const unique = timeOrderedId(chance.id(), at);
  return {
    id: callId === null ? unique : `${callId}.${unique}`,
    callId,
    snapshot: gateway.snapshot(),
    at,
    tick: clock.tick(),
  };
}

/** What is not JSON, or no object, is passed on unread. */
function opaqueBody(bytes: Buffer, { contentType }: PassThrough): JsonObject {
  return bytes.length === 0 || !/json/i.test(contentType ?? 'application/json') ? {} : jsonBody(bytes);
}

/** What stands for a form in records and as the input's size: its fields, and what is known of its files. */
function described({ fields, files, isComplete }: Upload, { headers }: Arrival): Buffer {
  // Under an idempotency key it must be the same form in every byte.
  const isRemembered = headers['idempotency-key'] !== undefined && isComplete;
  const about = files.map(({ field, fileName, mediaType, size, bytes }) => ({
    field,
    fileName,
    mediaType,
    ...(isComplete ? { bytes: size } : {}),
    ...(isRemembered ? { sha256: createHash('sha256').update(bytes()).digest('hex') } : {}),
  }));
  return Buffer.from(JSON.stringify({ ...fields, files: about }));
}

function saneToken(value: string | string[] | undefined): string | null {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(value) ? value : null;
}

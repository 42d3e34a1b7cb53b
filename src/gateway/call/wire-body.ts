import type { EncodeOptions } from '../../core/dialect.ts';
import type { Admitted } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { WireBody } from '../../core/upload.ts';
import { encodeOptions, type Target, withoutFields } from './translate.ts';

/** Whether a request travels as something else than one JSON body at the usual address. */
export function hasWireBody(exchange: Admitted, { dialect }: Target): boolean {
  return exchange.passThrough !== null || exchange.upload !== null || dialect.request.encodeBody !== undefined;
}

/**
 * The body of such a request. A form to a provider that takes the same form goes on while it comes; for every other
 * format it must be here whole. Throws, or rejects with, a GatewayError.
 */
export async function wireBody(exchange: Admitted, target: Target): Promise<WireBody> {
  const { upload, passThrough, bytes } = exchange;
  if (passThrough !== null) {
    return { contentType: passThrough.contentType ?? 'application/json', bytes, length: bytes.length };
  }
  const options = encodeOptions(exchange, target);
  const body = target.overrides === null ? exchange.body : { ...exchange.body, ...target.overrides };
  if (target.dialect === exchange.dialect && upload !== null) {
    // A signature is over all of it.
    if (target.endpoint.authorize !== undefined) await upload.whole();
    const edits = new Map([...Object.entries(target.overrides ?? {}), ...target.dialect.passThrough(body, options)]);
    const sent = upload.send(edits, (field) => isGateways(field, options));
    return target.endpoint.authorize === undefined ? sent : { ...sent, bytes: await collected(sent.bytes) };
  }
  if (upload !== null) await upload.whole();
  const asked = upload === null ? body : { ...upload.fields, ...target.overrides };
  const request = exchange.dialect.request.decode(withoutFields(asked, options.gatewayFields), upload?.files);
  const { encodeBody, encode } = target.dialect.request;
  return encodeBody === undefined ? json(encode(request, options)) : encodeBody(request, options);
}

function isGateways(field: string, { gatewayFields }: EncodeOptions): boolean {
  return gatewayFields.has(field) || field.startsWith('litellm_') || field.startsWith('mock_');
}

function json(body: JsonObject): WireBody {
  const bytes = Buffer.from(JSON.stringify(body));
  return { contentType: 'application/json', bytes, length: bytes.length };
}

async function collected(bytes: WireBody['bytes']): Promise<Uint8Array> {
  if (bytes instanceof Uint8Array) return bytes;
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';

/** Reads the whole body as JSON; an empty body is undefined. Throws GatewayError for too much or for what is no JSON. */
export async function readJsonBody(request: IncomingMessage, bytesMax: number): Promise<Json | undefined> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new GatewayError(
      'unsupported_media_type',
      `content-encoding ${encoding} is not accepted here; send plain JSON.`,
    );
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > bytesMax) throw tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
  } catch (error) {
    throw new GatewayError('malformed_request', `The body is not valid JSON: ${(error as Error).message}`);
  }
}

function tooLarge(bytesMax: number): GatewayError {
  return new GatewayError('body_too_large', `The body is larger than the limit of ${bytesMax} bytes.`);
}

import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import { requestBody } from './data-body.ts';

/**
 * Reads the whole body as JSON; an empty body is undefined. Throws GatewayError for too much or for what is no JSON, and
 * ClientLeft when it never ends.
 */
export async function readJsonBody(
  request: IncomingMessage,
  bytesMax: number,
  clock: Clock,
): Promise<Json | undefined> {
  const bytes = await requestBody(request, bytesMax, clock);
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as Json;
  } catch (error) {
    throw new GatewayError('malformed_request', `The body is not valid JSON: ${(error as Error).message}`);
  }
}

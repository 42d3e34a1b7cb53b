import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, nestsDeeperThan } from '../../core/json.ts';
import { jsonFault } from './json-fault.ts';

/** What walks through a body later does so by recursion: translation, cache key, the journal. */
const levelsMax = 512;

/** The object that a body holds. Throws GatewayError('malformed_request') that says what else it is, and where. */
export function jsonBody(bytes: Buffer): JsonObject {
  if (bytes.length === 0) {
    throw new GatewayError('malformed_request', 'The request body is empty; it must be a JSON object.');
  }
  const text = bytes.toString('utf8');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new GatewayError('malformed_request', `The request body is not valid JSON: ${jsonFault(text)}.`);
  }
  if (!isJsonObject(body)) {
    const kind = body === null ? 'null' : Array.isArray(body) ? 'a list' : `a ${typeof body}`;
    throw new GatewayError('malformed_request', `The request body must be a JSON object, but it is ${kind}.`);
  }
  const broken = brokenCharacterIn(text, bytes);
  if (broken !== -1) {
    throw new GatewayError('malformed_request', `The request body is not valid UTF-8: see its byte ${broken + 1}.`);
  }
  // Every level takes two bytes at least.
  if (bytes.length > 2 * levelsMax && nestsDeeperThan(body, levelsMax)) {
    throw new GatewayError('malformed_request', `The request body is nested deeper than ${levelsMax} levels.`);
  }
  return body;
}

const replacement = '\ufffd';
const replacementBytes = Buffer.from(replacement);

/** Where the bytes are no UTF-8 and the text holds a replacement that the caller did not write; -1 where nowhere. */
function brokenCharacterIn(text: string, bytes: Buffer): number {
  let offset = 0;
  let from = 0;
  for (let at = text.indexOf(replacement); at !== -1; at = text.indexOf(replacement, from)) {
    offset += Buffer.byteLength(text.slice(from, at));
    if (!bytes.subarray(offset, offset + replacementBytes.length).equals(replacementBytes)) return offset;
    offset += replacementBytes.length;
    from = at + 1;
  }
  return -1;
}

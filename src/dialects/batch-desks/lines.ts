import { isJsonObject, type JsonObject } from '../../core/json.ts';

const newline = 10;

/** The objects of a JSONL body, one after the other; what is no object is passed over. */
export function* objectsIn(bytes: Buffer): Generator<JsonObject> {
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(newline, at);
    const end = found < 0 ? bytes.length : found;
    const line = parsed(bytes.toString('utf8', at, end));
    if (line !== undefined) yield line;
    at = end + 1;
  }
}

/** An answer that must be one object; an empty one where it is not. */
export function objectIn(bytes: Buffer): JsonObject {
  return parsed(bytes.toString('utf8')) ?? {};
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function json(value: JsonObject): { body: Buffer; contentType: string } {
  return { body: Buffer.from(JSON.stringify(value)), contentType: 'application/json' };
}

export function countIn(value: unknown, name: string): number {
  const count = isJsonObject(value) ? value[name] : undefined;
  return typeof count === 'number' ? count : 0;
}

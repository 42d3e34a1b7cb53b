import type { PostAnswer } from '../../sinks/post.ts';

/** How many items a collector says it did not take (`partial_success`), in either encoding; 0 when it says nothing. */
export function rejectedIn({ headers, body }: PostAnswer): number {
  if (body.length === 0) return 0;
  const contentType = String(headers['content-type'] ?? '');
  try {
    return contentType.includes('json') ? rejectedInJson(body) : rejectedInProtobuf(body);
  } catch {
    return 0;
  }
}

function rejectedInJson(body: Buffer): number {
  const answer = JSON.parse(body.toString()) as {
    partialSuccess?: { rejectedSpans?: unknown; rejectedDataPoints?: unknown };
  };
  const rejected = Number(answer.partialSuccess?.rejectedSpans ?? answer.partialSuccess?.rejectedDataPoints ?? 0);
  return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
}

/** Field 1 of field 1, a varint. */
function rejectedInProtobuf(body: Buffer): number {
  if (body[0] !== 0x0a) return 0;
  const [, inner] = varint(body, 1);
  if (body[inner] !== 0x08) return 0;
  return varint(body, inner + 1)[0];
}

function varint(bytes: Buffer, start: number): [value: number, next: number] {
  let value = 0;
  let factor = 1;
  let at = start;
  for (;;) {
    const byte = bytes[at++];
    if (byte === undefined || at - start > 8) throw new RangeError('not a varint');
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at];
    factor *= 128;
  }
}

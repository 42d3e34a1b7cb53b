import type { BodyEdits } from './dialect.ts';
import { GatewayError } from './errors.ts';
import type { JsonObject } from './json.ts';
import { hasNumberedCharacters } from './numbered-characters.ts';

/*
 * Reads and edits the top-level members of a JSON object without parsing or re-writing the rest: what a caller sent
 * (order, spacing, number spelling, fields unknown to us) travels on byte for byte.
 */

const quote = 34;
const comma = 44;
const colon = 58;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/** Byte positions of one member: its key with quotes, and its value without space around it; ends are exclusive. */
export interface MemberSpan {
  readonly key: string;
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * The top-level members in order, duplicates included. `bytes` must hold one JSON object; throws
 * GatewayError('malformed_request') where its outline is broken (what stands inside the values is not looked at).
 */
export function scanMembers(bytes: Buffer): MemberSpan[] {
  const members: MemberSpan[] = [];
  let position = skipSpace(bytes, 0);
  if (bytes[position] !== openBrace) throw malformed(position);
  position = skipSpace(bytes, position + 1);
  if (bytes[position] === closeBrace) return members;
  for (;;) {
    const keyStart = position;
    if (bytes[keyStart] !== quote) throw malformed(keyStart);
    const keyEnd = stringEnd(bytes, keyStart);
    position = skipSpace(bytes, keyEnd);
    if (bytes[position] !== colon) throw malformed(position);
    const valueStart = skipSpace(bytes, position + 1);
    const valueEnd = endOfValue(bytes, valueStart);
    members.push({ key: keyText(bytes, keyStart, keyEnd), keyStart, valueStart, valueEnd });
    position = skipSpace(bytes, valueEnd);
    if (bytes[position] === closeBrace) return members;
    if (bytes[position] !== comma) throw malformed(position);
    position = skipSpace(bytes, position + 1);
  }
}

/** The last member of that name: the one JSON.parse keeps. */
export function findMember(bytes: Buffer, key: string): MemberSpan | undefined {
  return scanMembers(bytes).findLast((member) => member.key === key);
}

/**
 * Sets (a JSON value) or removes (undefined) top-level members, leaving every other byte as it is. Of a duplicate key all
 * are removed, and the last one is set. New members go to the end. `body` is what the bytes say, where that is known:
 * then most edits find their place without a walk through everything before it.
 */
export function editMembers(bytes: Buffer, edits: BodyEdits, body?: JsonObject): Buffer {
  if (edits.size === 0) return bytes;
  const quick = body === undefined ? null : editSoleMembers(bytes, edits, body);
  if (quick !== null) return quick;
  const members = scanMembers(bytes);
  const lastOf = new Map<string, number>();
  for (const [index, member] of members.entries()) lastOf.set(member.key, index);
  const isKept = (member: MemberSpan, index: number) =>
    !edits.has(member.key) || (edits.get(member.key) !== undefined && lastOf.get(member.key) === index);
  const lastKept = members.findLastIndex(isKept);

  const pieces: Buffer[] = [];
  let copied = 0;
  const cut = (from: number, to: number, instead = '') => {
    pieces.push(bytes.subarray(copied, from));
    if (instead !== '') pieces.push(Buffer.from(instead));
    copied = to;
  };
  for (const [index, member] of members.entries()) {
    if (index > lastKept) break;
    if (!isKept(member, index)) cut(member.keyStart, members[index + 1]!.keyStart);
    else if (edits.has(member.key)) {
      cut(member.valueStart, member.valueEnd, JSON.stringify(edits.get(member.key)));
    }
  }
  const added: string[] = [];
  for (const [key, value] of edits) {
    if (value !== undefined && !lastOf.has(key)) added.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  const tail = lastKept === -1 ? bytes.indexOf(openBrace) + 1 : members[lastKept]!.valueEnd;
  const separator = lastKept === -1 || added.length === 0 ? '' : ',';
  cut(tail, members.at(-1)?.valueEnd ?? tail, separator + added.join(','));
  pieces.push(bytes.subarray(copied));
  return Buffer.concat(pieces);
}

interface Spot {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** null where it takes a walk: a member is to go, or its name stands in the text more than once or in another spelling. */
function editSoleMembers(bytes: Buffer, edits: BodyEdits, body: JsonObject): Buffer | null {
  // Letters and digits in a name can be told in no other way than as themselves or by number.
  if (hasNumberedCharacters(bytes)) return null;
  const spots: Spot[] = [];
  let added = '';
  for (const [key, value] of edits) {
    if (!Object.hasOwn(body, key)) {
      if (value !== undefined) added += `,${JSON.stringify(key)}:${JSON.stringify(value)}`;
      continue;
    }
    const spot = value === undefined ? null : soleMember(bytes, key, JSON.stringify(value));
    if (spot === null) return null;
    spots.push(spot);
  }
  if (added !== '') {
    const end = endOfMembers(bytes);
    if (end === null) return null;
    spots.push({ from: end, to: end, text: added });
  }
  return replaced(bytes, spots);
}

const plainName = /^\w+$/;
const nameTokens = new Map<string, Buffer>();
const nameTokensMax = 500;

/** The value of the one member of that name. An object has it at its top: where its name stands once, it is there. */
function soleMember(bytes: Buffer, key: string, text: string): Spot | null {
  let token = nameTokens.get(key);
  if (token === undefined) {
    if (!plainName.test(key)) return null;
    token = Buffer.from(`"${key}"`);
    if (nameTokens.size < nameTokensMax) nameTokens.set(key, token);
  }
  const at = bytes.indexOf(token);
  if (at === -1 || bytes[at - 1] === backslash || bytes.indexOf(token, at + token.length) !== -1) return null;
  const afterName = skipSpace(bytes, at + token.length);
  if (bytes[afterName] !== colon) return null;
  const from = skipSpace(bytes, afterName + 1);
  return { from, to: endOfValue(bytes, from), text };
}

/** Position behind the last member; null for an object that has none. */
function endOfMembers(bytes: Buffer): number | null {
  let end = bytes.length - 1;
  while (bytes[end]! <= 32) end -= 1;
  do end -= 1;
  while (bytes[end]! <= 32);
  return bytes[end] === openBrace ? null : end + 1;
}

function replaced(bytes: Buffer, spots: Spot[]): Buffer {
  let size = bytes.length;
  for (const { from, to, text } of spots) size += Buffer.byteLength(text) - (to - from);
  if (spots.length > 1) spots.sort((one, other) => one.from - other.from);
  const edited = Buffer.allocUnsafe(size);
  let copied = 0;
  let written = 0;
  for (const { from, to, text } of spots) {
    written += bytes.copy(edited, written, copied, from);
    written += edited.write(text, written);
    copied = to;
  }
  bytes.copy(edited, written, copied);
  return edited;
}

function keyText(bytes: Buffer, start: number, end: number): string {
  const inner = bytes.toString('utf8', start + 1, end - 1);
  return inner.includes('\\') ? (JSON.parse(`"${inner}"`) as string) : inner;
}

function skipSpace(bytes: Buffer, from: number): number {
  let position = from;
  for (;;) {
    const byte = bytes[position];
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return position;
    position += 1;
  }
}

/** Short strings are walked, long ones jumped over. */
const walkedBytes = 24;

/** Position behind the closing quote of the string that opens at `start`. */
function stringEnd(bytes: Buffer, start: number): number {
  const walkEnd = start + 1 + walkedBytes;
  let position = start + 1;
  while (position < walkEnd) {
    const byte = bytes[position];
    if (byte === quote) return position + 1;
    if (byte === undefined) throw malformed(position);
    position += byte === backslash ? 2 : 1;
  }
  // A skipped pair may have ended one byte further on.
  let from = position;
  for (;;) {
    const end = bytes.indexOf(quote, from);
    if (end === -1) throw malformed(bytes.length);
    let escapes = 0;
    while (end - 1 - escapes >= position && bytes[end - 1 - escapes] === backslash) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
    from = end + 1;
  }
}

/** Position behind the value that begins at `start`. */
function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === quote) return stringEnd(bytes, start);
  let position = start;
  if (first === openBrace || first === openBracket) {
    let depth = 0;
    for (;;) {
      const byte = bytes[position];
      if (byte === quote) {
        position = stringEnd(bytes, position);
        continue;
      }
      if (byte === undefined) throw malformed(position);
      position += 1;
      if (byte === openBrace || byte === openBracket) depth += 1;
      else if (byte === closeBrace || byte === closeBracket) {
        depth -= 1;
        if (depth === 0) return position;
      }
    }
  }
  while (position < bytes.length) {
    const byte = bytes[position]!;
    if (byte === comma || byte === closeBrace || byte <= 32) break;
    position += 1;
  }
  if (position === start) throw malformed(start);
  return position;
}

function malformed(position: number): GatewayError {
  return new GatewayError(
    'malformed_request',
    `The body is not a JSON object: unexpected byte at position ${position}.`,
  );
}

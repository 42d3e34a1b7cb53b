import { randomFillSync } from 'node:crypto';

const idBytes = 16;
const chance = Buffer.alloc(idBytes * 256);
let used = chance.length;

const hexDigits = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''));
const text = Buffer.alloc(36);
const hyphen = 0x2d;

/**
 * A random UUID (RFC 9562, version 4). `randomUUID` of node:crypto joins its text of 16 pieces, which every request would
 * join once more when it is first read; here it is made in one.
 */
export function randomId(): string {
  if (used === chance.length) {
    randomFillSync(chance);
    used = 0;
  }
  let at = 0;
  for (let index = 0; index < idBytes; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text[at++] = hyphen;
    let byte = chance[used + index]!;
    if (index === 6) byte = (byte & 0x0f) | 0x40;
    else if (index === 8) byte = (byte & 0x3f) | 0x80;
    text[at++] = hexDigits[byte * 2]!;
    text[at++] = hexDigits[byte * 2 + 1]!;
  }
  // What was drawn is told once and stays nowhere.
  chance.fill(0, used, used + idBytes);
  used += idBytes;
  return text.toString('latin1');
}

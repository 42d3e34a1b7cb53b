/*
 * Header lines as they go on the wire. Nothing looks at them again before they are sent: whatever comes from outside
 * passes through here.
 */

const plain = /^[\x20-\x7e]*$/;
const notPlain = /[^\x20-\x7e]/g;
const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** A header may hold visible ASCII and spaces: anything else, above all CR and LF, is left out. */
export function headerValue(value: string): string {
  return plain.test(value) ? value : value.replace(notPlain, '');
}

export function isHeaderName(name: string): boolean {
  return token.test(name);
}

export function headerLine(name: string, value: string): string {
  return `${name}: ${headerValue(value)}\r\n`;
}

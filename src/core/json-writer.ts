/** JSON that is known beforehand, as bytes. */
export function jsonBytes(text: string): Buffer {
  return Buffer.from(text);
}

const nullBytes = jsonBytes('null');
const quote = 0x22;
const backslash = 0x5c;
const zero = 0x30;
const point = 0x2e;
/** Longer texts are left to `JSON.stringify`. */
const plainLengthMax = 128;
const digitsAtOnce = 10_000_000;

/**
 * Writes JSON into one growing buffer, for lines that are written for every request: no text is made, joined and copied
 * on the way.
 */
export class JsonWriter {
  #bytes = Buffer.allocUnsafe(8 * 1024);
  #at = 0;

  /** What was written since `reset`, good until the next one. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  reset(): void {
    this.#at = 0;
  }

  /** What is JSON already. */
  raw(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Any value, or a part of JSON as text. */
  json(text: string): void {
    this.#room(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** A text in quotes; null as such. */
  text(value: string | null): void {
    if (value === null) this.raw(nullBytes);
    else if (value.length > plainLengthMax || !this.#plain(value)) this.json(JSON.stringify(value));
  }

  /** Short text without anything to escape, without leaving JavaScript. */
  #plain(value: string): boolean {
    const { length } = value;
    this.#room(length + 2);
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash) return false;
      bytes[start + index] = code;
    }
    bytes[this.#at] = quote;
    bytes[start + length] = quote;
    this.#at = start + length + 1;
    return true;
  }

  /** A number; null for what JSON has no word for. */
  figure(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      if (!this.#thousandths(value)) this.json(Number.isFinite(value) ? String(value) : 'null');
      return;
    }
    this.#room(20);
    if (value < digitsAtOnce) {
      this.#digits(value, lengthOf(value));
      return;
    }
    const above = Math.floor(value / digitsAtOnce);
    this.figure(above);
    this.#digits(value - above * digitsAtOnce, 7);
  }

  /** Durations are known to the microsecond: as whole numbers they are written without a text. False for what is no such number. */
  #thousandths(value: number): boolean {
    if (!(value > 0 && value < digitsAtOnce)) return false;
    const parts = Math.round(value * 1_000);
    if (parts / 1_000 !== value) return false;
    const whole = Math.floor(parts / 1_000);
    let fraction = parts - whole * 1_000;
    let width = 3;
    for (; fraction % 10 === 0; fraction /= 10) width -= 1;
    this.#room(20);
    this.#digits(whole, lengthOf(whole));
    this.#bytes[this.#at++] = point;
    this.#digits(fraction, width);
    return true;
  }

  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    let rest = value;
    for (let index = this.#at + count - 1; index >= this.#at; index--) {
      const next = Math.trunc(rest / 10);
      bytes[index] = zero + rest - next * 10;
      rest = next;
    }
    this.#at += count;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

function lengthOf(value: number): number {
  let length = 1;
  for (let limit = 10; value >= limit; limit *= 10) length += 1;
  return length;
}

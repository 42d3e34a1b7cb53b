const zero = 0x30;
const point = 0x2e;
const digitsAtOnce = 10_000_000;
/** Shorter texts are written without leaving JavaScript. */
const plainLengthMax = 64;

/** Writes into one growing buffer, for what is written for every request: no text is made, joined and copied on the way. */
export class ByteWriter {
  protected bytes = Buffer.allocUnsafe(8 * 1024);
  protected at = 0;

  /** What was written since `reset`, good until the next one. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  reset(): void {
    this.at = 0;
  }

  raw(bytes: Buffer): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** A text whose characters are a byte each. */
  latin1(text: string): void {
    const { length } = text;
    this.room(length);
    const { bytes, at } = this;
    if (length > plainLengthMax) bytes.write(text, at, 'latin1');
    else for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
    this.at += length;
  }

  /** A number as JSON writes it; `null` for what is none. */
  figure(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      if (!this.#thousandths(value)) this.latin1(Number.isFinite(value) ? String(value) : 'null');
      return;
    }
    this.room(20);
    if (value < digitsAtOnce) {
      this.#digits(value, lengthOf(value));
      return;
    }
    const above = Math.floor(value / digitsAtOnce);
    this.figure(above);
    this.#digits(value - above * digitsAtOnce, 7);
  }

  /**
   * Durations are known to the microsecond: as whole numbers they are written without a text. False for what is no such
   * number.
   */
  #thousandths(value: number): boolean {
    if (!(value > 0 && value < digitsAtOnce)) return false;
    const parts = Math.round(value * 1_000);
    if (parts / 1_000 !== value) return false;
    const whole = Math.floor(parts / 1_000);
    let fraction = parts - whole * 1_000;
    let width = 3;
    for (; fraction % 10 === 0; fraction /= 10) width -= 1;
    this.room(20);
    this.#digits(whole, lengthOf(whole));
    this.bytes[this.at++] = point;
    this.#digits(fraction, width);
    return true;
  }

  #digits(value: number, count: number): void {
    const { bytes } = this;
    let rest = value;
    for (let index = this.at + count - 1; index >= this.at; index--) {
      const next = Math.trunc(rest / 10);
      bytes[index] = zero + rest - next * 10;
      rest = next;
    }
    this.at += count;
  }

  protected room(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + bytes));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }
}

function lengthOf(value: number): number {
  let length = 1;
  for (let limit = 10; value >= limit; limit *= 10) length += 1;
  return length;
}

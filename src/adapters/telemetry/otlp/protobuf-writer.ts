const nanosecondsPerMillisecond = 1_000_000;
const wordSize = 2 ** 32;
const halfOfWhole = 2 ** 20;
const lowWordsOfHigh = wordSize / halfOfWhole;

/** Fields of `KeyValue` and `AnyValue`, with their wire types. */
const pairValueTag = (2 << 3) | 2;
const countTag = 3 << 3;
const doubleTag = (4 << 3) | 1;

/**
 * Writes Protocol Buffers (https://protobuf.dev/programming-guides/encoding/) into one growing buffer, fields in the
 * order they are asked for. A message inside another is written in place; its length goes in front of it afterwards.
 */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(16 * 1024);
  #at = 0;

  reset(): void {
    this.#at = 0;
  }

  get length(): number {
    return this.#at;
  }

  /** A copy of what was written since that length. */
  since(start: number): Buffer {
    return Buffer.from(this.#bytes.subarray(start, this.#at));
  }

  /** What was written since `reset`, good until the next one. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** A copy of it. */
  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  /** Number and length of a message begin; to be given to `close`. */
  open(field: number): number {
    this.#room(8);
    this.#tag(field, 2);
    // One byte is enough for most lengths.
    return ++this.#at;
  }

  close(start: number): void {
    const length = this.#at - start;
    const more = varintLength(length) - 1;
    if (more > 0) {
      this.#room(more);
      this.#bytes.copyWithin(start + more, start, this.#at);
      this.#at += more;
    }
    this.#putVarint(length, start - 1);
  }

  /** What was written elsewhere, as it is. */
  raw(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  string(field: number, text: string): void {
    const { length } = text;
    this.#room(length * 3 + 16);
    this.#tag(field, 2);
    if (length < 128 && this.#ascii(text, length)) return;
    const bytes = Buffer.byteLength(text);
    this.#at = this.#putVarint(bytes, this.#at);
    this.#at += this.#bytes.write(text, this.#at, bytes, 'utf8');
  }

  /** Short plain text, without leaving JavaScript. */
  #ascii(text: string, length: number): boolean {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) return false;
      bytes[start + index] = code;
    }
    bytes[this.#at] = length;
    this.#at = start + length;
    return true;
  }

  /** Bytes given as hex digits, such as the ids of spans. */
  hex(field: number, digits: string): void {
    const length = digits.length >> 1;
    this.#room(length + 8);
    this.#tag(field, 2);
    this.#bytes[this.#at++] = length;
    this.#at += this.#bytes.write(digits, this.#at, length, 'hex');
  }

  /** A whole number of 0 or more. */
  varint(field: number, value: number): void {
    this.#room(16);
    this.#tag(field, 0);
    this.#at = this.#putVarint(value, this.#at);
  }

  /**
   * A pair of OpenTelemetry's (`KeyValue`) in one go: its name as a field that was written before, its value a double.
   */
  doublePair(field: number, name: Buffer, value: number): void {
    this.#pairHead(field, name, 9);
    this.#bytes[this.#at++] = doubleTag;
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** The same with a whole number of 0 or more. */
  countPair(field: number, name: Buffer, value: number): void {
    this.#pairHead(field, name, 1 + varintLength(value));
    this.#bytes[this.#at++] = countTag;
    this.#at = this.#putVarint(value, this.#at);
  }

  #pairHead(field: number, name: Buffer, valueLength: number): void {
    const length = name.length + 2 + valueLength;
    this.#room(length + 8);
    this.#tag(field, 2);
    this.#at = this.#putVarint(length, this.#at);
    this.#bytes.set(name, this.#at);
    this.#at += name.length;
    this.#bytes[this.#at++] = pairValueTag;
    this.#bytes[this.#at++] = valueLength;
  }

  /** `int64`: what is negative takes ten bytes. */
  int64(field: number, value: number): void {
    if (value >= 0) {
      this.varint(field, value);
      return;
    }
    this.#room(16);
    this.#tag(field, 0);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.#bytes[this.#at++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  double(field: number, value: number): void {
    this.#room(16);
    this.#tag(field, 1);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** `fixed64` of unix milliseconds as nanoseconds. */
  nanoseconds(field: number, milliseconds: number): void {
    this.#room(16);
    this.#tag(field, 1);
    const whole = Math.floor(milliseconds);
    // More digits than a number holds: in two halves of the milliseconds, each times a million, low and high word apart.
    const high = Math.floor(whole / halfOfWhole) * nanosecondsPerMillisecond;
    const low =
      (high % lowWordsOfHigh) * halfOfWhole +
      (whole % halfOfWhole) * nanosecondsPerMillisecond +
      Math.round((milliseconds - whole) * nanosecondsPerMillisecond);
    this.#at = this.#bytes.writeUInt32LE(low % wordSize, this.#at);
    this.#at = this.#bytes.writeUInt32LE(Math.floor(high / lowWordsOfHigh) + Math.floor(low / wordSize), this.#at);
  }

  fixed64(field: number, value: number): void {
    this.#room(16);
    this.#tag(field, 1);
    this.#at = this.#bytes.writeBigUInt64LE(BigInt(value), this.#at);
  }

  /** `repeated fixed64`, packed. */
  packedFixed64(field: number, values: ArrayLike<number>): void {
    const start = this.open(field);
    for (let index = 0; index < values.length; index++) {
      this.#room(8);
      this.#at = this.#bytes.writeBigUInt64LE(BigInt(values[index]!), this.#at);
    }
    this.close(start);
  }

  packedDouble(field: number, values: ArrayLike<number>): void {
    const start = this.open(field);
    for (let index = 0; index < values.length; index++) {
      this.#room(8);
      this.#at = this.#bytes.writeDoubleLE(values[index]!, this.#at);
    }
    this.close(start);
  }

  /** `fixed32`, as flags are. */
  fixed32(field: number, value: number): void {
    this.#room(8);
    this.#tag(field, 5);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  #tag(field: number, wireType: number): void {
    const tag = (field << 3) | wireType;
    if (tag > 127) {
      this.#bytes[this.#at++] = (tag & 127) | 128;
      this.#bytes[this.#at++] = tag >> 7;
    } else this.#bytes[this.#at++] = tag;
  }

  #putVarint(value: number, at: number): number {
    let rest = value;
    let position = at;
    while (rest > 127) {
      this.#bytes[position++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[position++] = rest;
    return position;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/** Unix milliseconds with a fraction as whole nanoseconds: more digits than a number holds. */
export function nanoseconds(milliseconds: number): bigint {
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1_000_000));
}

/** A message field written elsewhere, its number and length in front. */
export function messageHead(field: number, length: number): Buffer {
  const bytes: number[] = [(field << 3) | 2];
  let rest = length;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

import { ByteWriter } from './byte-writer.ts';

/** JSON that is known beforehand, as bytes. */
export function jsonBytes(text: string): Buffer {
  return Buffer.from(text);
}

const nullBytes = jsonBytes('null');
const quote = 0x22;
const backslash = 0x5c;
/** Longer texts are left to `JSON.stringify`. */
const plainLengthMax = 128;

/** Writes JSON; `raw` takes what is JSON already. */
export class JsonWriter extends ByteWriter {
  /** Any value, or a part of JSON as text. */
  json(text: string): void {
    this.room(text.length * 3);
    this.at += this.bytes.write(text, this.at);
  }

  /** A text in quotes; null as such. */
  text(value: string | null): void {
    if (value === null) this.raw(nullBytes);
    else if (value.length > plainLengthMax || !this.#plain(value)) this.json(JSON.stringify(value));
  }

  /** Short text without anything to escape, without leaving JavaScript. */
  #plain(value: string): boolean {
    const { length } = value;
    this.room(length + 2);
    const { bytes } = this;
    const start = this.at + 1;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash) return false;
      bytes[start + index] = code;
    }
    bytes[this.at] = quote;
    bytes[start + length] = quote;
    this.at = start + length + 1;
    return true;
  }
}

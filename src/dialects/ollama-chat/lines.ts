import { GatewayError } from '../../core/errors.ts';

/** A line longer than this is no answer of a model. */
const lineBytesMax = 16 * 1024 * 1024;
const newline = 10;

/** Cuts bytes into lines, each a JSON object of its own; what is cut waits for its rest. */
export class LineSplitter {
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** Whole lines without their ends; empty ones are left out. */
  push(chunk: Uint8Array): Buffer[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      this.#add(lines, bytes.subarray(start, end));
      start = end + 1;
    }
    if (start < bytes.length) {
      this.#heldBytes += bytes.length - start;
      if (this.#heldBytes > lineBytesMax) {
        throw new GatewayError('upstream_connection', `The provider sent a line of more than ${lineBytesMax} bytes.`);
      }
      // Copied: the chunk may be used again.
      this.#held.push(Buffer.from(bytes.subarray(start)));
    }
    return lines;
  }

  /** A last line without its end. */
  rest(): Buffer[] {
    const lines: Buffer[] = [];
    this.#add(lines, Buffer.alloc(0));
    return lines;
  }

  #add(lines: Buffer[], tail: Buffer): void {
    const line = this.#held.length === 0 ? tail : Buffer.concat([...this.#held, tail]);
    this.#held = [];
    this.#heldBytes = 0;
    const end = line.at(-1) === 13 ? line.length - 1 : line.length;
    if (end > 0) lines.push(line.subarray(0, end));
  }
}

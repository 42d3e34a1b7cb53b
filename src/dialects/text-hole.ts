import type { Cut, Splice } from './event-relay.ts';

const lessonsMax = 16;

/**
 * Most chunks of a stream differ from the one before in a single string: the next few words. Having read one chunk
 * properly, this remembers what stands before and after that string; a chunk that is the same around it needs no parsing.
 * Texts are JSON in latin1. A quote inside a JSON string is escaped, so the first bare quote ends the hole.
 */
export class TextHole {
  #head = '';
  #tail = '';
  /** True when the tail ends in a second string that differs from chunk to chunk (padding against traffic analysis). */
  #isPadded = false;
  /** What is taken out of the tail, and where in the tail it begins. */
  #cut: Cut | undefined;
  #cutOffset = 0;
  #isKept = true;
  #splice: Splice = { skip: 0, instead: Buffer.alloc(0) };
  /** Lessons since one was last of use: some streams (several choices, log probabilities) never repeat themselves. */
  #lessons = 0;

  /** `needle` is the key with the quote that opens its value. `replace` says what to send instead of the part before it; undefined forbids to learn. `unwanted` is taken out of what follows. */
  learn(
    data: string,
    needle: string,
    replace: (head: string) => string | undefined,
    unwanted: RegExp | null = null,
  ): void {
    this.#head = '';
    this.#lessons += 1;
    if (this.#lessons > lessonsMax) return;
    const found = data.indexOf(needle);
    if (found === -1) return;
    const start = found + needle.length;
    const end = bareQuote(data, start);
    if (end === -1) return;
    let tail = data.slice(end);
    const padding = tail.indexOf('"obfuscation":"');
    this.#isPadded = padding !== -1;
    if (this.#isPadded) tail = tail.slice(0, padding + '"obfuscation":"'.length);
    const head = data.slice(0, start);
    const replacedHead = replace(head);
    if (replacedHead === undefined) return;
    // Copied so that no large chunk is kept alive by a slice of it.
    this.#head = flat(head);
    this.#tail = flat(tail);
    const leftOut = unwanted?.exec(tail) ?? null;
    this.#cut = leftOut === null ? undefined : { at: 0, length: leftOut[0].length };
    this.#cutOffset = leftOut?.index ?? 0;
    // Not cut from the 64 KiB that short-lived buffers share: it stays as long as the stream.
    const instead = Buffer.allocUnsafeSlow(replacedHead.length);
    instead.write(replacedHead, 'latin1');
    this.#splice = { skip: head.length, instead, ...(this.#cut && { cut: this.#cut }) };
    this.#isKept = replacedHead === head && this.#cut === undefined;
  }

  /** Length of the hole when `data` is the same around it; -1 when it must be read. */
  measure(data: string): number {
    const head = this.#head;
    // Comparing slices is several times faster than startsWith.
    if (head === '' || data.slice(0, head.length) !== head) return -1;
    const end = bareQuote(data, head.length);
    if (end === -1) return -1;
    const tailEnd = end + this.#tail.length;
    if (data.slice(end, tailEnd) !== this.#tail) return -1;
    if (this.#isPadded) {
      const padded = data.indexOf('"', tailEnd);
      if (padded !== data.length - 2 || data.charCodeAt(padded + 1) !== 125) return -1;
    } else if (tailEnd !== data.length) return -1;
    this.#lessons = 0;
    if (this.#cut !== undefined) this.#cut.at = end + this.#cutOffset;
    return end - head.length;
  }

  /** May the chunk just measured go on as it came? */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** What sends the chunk just measured on with its head replaced. */
  get splice(): Splice {
    return this.#splice;
  }
}

/** Position of the first quote from `start` on that is not escaped; -1 when there is none. */
function bareQuote(text: string, start: number): number {
  let from = start;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return -1;
    let escapes = 0;
    while (quote - 1 - escapes >= start && text.charCodeAt(quote - 1 - escapes) === 92) escapes += 1;
    if (escapes % 2 === 0) return quote;
    from = quote + 1;
  }
}

function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

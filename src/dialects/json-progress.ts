/** Follows JSON text as it arrives and knows when one object or list is whole. */
export class JsonProgress {
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #isWhole = false;

  /** True once a whole object or list has been seen. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  add(text: string): void {
    if (this.#isWhole) return;
    for (let position = 0; position < text.length; position += 1) {
      const code = text.charCodeAt(position);
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === 92) this.#isEscaped = true;
        else if (code === 34) this.#inString = false;
      } else if (code === 34) this.#inString = true;
      else if (code === 123 || code === 91) this.#depth += 1;
      else if (code === 125 || code === 93) {
        this.#depth -= 1;
        if (this.#depth === 0) this.#isWhole = true;
      }
    }
  }
}
